// Measures the parsers of Prometheus on one file: its Go library (expfmt, which builds families) and the parser of its
// scrapes (textparse), with and without the labels. One line of JSON for each; processor time, median of the rounds.
package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"sort"
	"strconv"
	"syscall"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

func processorSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Sec+usage.Stime.Sec) + float64(usage.Utime.Usec+usage.Stime.Usec)/1e6
}

func families(input []byte) (samples int) {
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(bytes.NewReader(input))
	if err != nil {
		panic(err)
	}
	for _, family := range families {
		samples += len(family.Metric)
	}
	return samples
}

func series(input []byte, withLabels bool) (samples int) {
	parser := textparse.NewPromParser(input)
	var metric labels.Labels
	for {
		entry, err := parser.Next()
		if err == io.EOF {
			return samples
		}
		if err != nil {
			panic(err)
		}
		if entry == textparse.EntrySeries {
			samples++
			parser.Series()
			if withLabels {
				parser.Metric(&metric)
			}
		}
	}
}

func main() {
	input, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	seconds, err := strconv.ParseFloat(os.Args[2], 64)
	if err != nil {
		panic(err)
	}
	repeats := 1 + 4000000/len(input)
	for _, peer := range []struct {
		name string
		read func([]byte) int
	}{
		{"Prometheus textparse (Go), no labels", func(input []byte) int { return series(input, false) }},
		{"Prometheus textparse (Go), with labels", func(input []byte) int { return series(input, true) }},
		{"Prometheus expfmt (Go), families", families},
	} {
		var rounds []float64
		for spent := 0.0; spent < seconds || len(rounds) < 3; spent += rounds[len(rounds)-1] * float64(repeats) {
			start := processorSeconds()
			for i := 0; i < repeats; i++ {
				peer.read(input)
			}
			rounds = append(rounds, (processorSeconds()-start)/float64(repeats))
		}
		sort.Float64s(rounds)
		json.NewEncoder(os.Stdout).Encode(map[string]any{"peer": peer.name, "mb_per_s": float64(len(input)) / rounds[len(rounds)/2] / 1e6})
	}
}
