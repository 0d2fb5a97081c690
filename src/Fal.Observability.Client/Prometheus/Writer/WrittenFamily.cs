namespace Fal.Observability.Client.Prometheus;

/// <summary>A family as one format can express it: the content of its TYPE, HELP and UNIT lines, and its samples.</summary>
internal sealed record WrittenFamily(
    string Name, PrometheusMetricType Type, string? Help, string? Unit, IReadOnlyList<PrometheusSample> Samples)
{
    /// <summary>Assigns every sample to a family before anything is written, so that an exception leaves no partial output.</summary>
    /// <exception cref="ArgumentException">A family cannot be written.</exception>
    public static List<WrittenFamily> Plan(IReadOnlyList<MetricFamily> families, bool openMetrics)
    {
        var names = new HashSet<string>(families.Select(family => family.Name), StringComparer.Ordinal);
        var plan = new List<WrittenFamily>(families.Count);
        foreach (MetricFamily family in families)
        {
            if (openMetrics)
            {
                PlanOpenMetrics(plan, family, names);
            }
            else
            {
                PlanText(plan, family);
            }
        }

        RefuseSharedNames(plan, openMetrics);
        return openMetrics ? plan : OwnersFirst(plan);
    }

    private static void RefuseSharedNames(List<WrittenFamily> plan, bool openMetrics)
    {
        var taken = new Dictionary<string, WrittenFamily>(StringComparer.Ordinal);
        foreach (WrittenFamily family in plan)
        {
            foreach (string suffix in openMetrics ? OpenMetricsTypes.TakenSuffixes(family.Type) : [""])
            {
                if (!taken.TryAdd(family.Name + suffix, family))
                {
                    throw new ArgumentException(taken[family.Name + suffix].Name == family.Name
                        ? $"Duplicate metric family '{family.Name}': merge the two, or rename one of them."
                        : $"The metric families '{taken[family.Name + suffix].Name}' and '{family.Name}' both have samples named "
                        + $"'{family.Name + suffix}', which a reader cannot distinguish: remove or rename one of the families.");
                }
            }
        }
    }

    /// <summary>
    /// A reader of the text format assigns a sample such as <c>a_sum</c> to the family of that name if it has read one, otherwise to the
    /// histogram <c>a</c>. If both exist, the histogram must therefore come first.
    /// </summary>
    private static List<WrittenFamily> OwnersFirst(List<WrittenFamily> plan)
    {
        Dictionary<string, int> places = plan.Select((family, place) => (family.Name, place))
            .ToDictionary(pair => pair.Name, pair => pair.place, StringComparer.Ordinal);
        var moved = new List<(int Before, WrittenFamily Family)>();
        for (int i = 0; i < plan.Count; i++)
        {
            WrittenFamily family = plan[i];
            int before = family.Type
                is PrometheusMetricType.Histogram or PrometheusMetricType.GaugeHistogram or PrometheusMetricType.Summary
                ? family.Samples.Select(sample => sample.Name).Distinct(StringComparer.Ordinal)
                    .Where(name => name != family.Name).Select(name => places.GetValueOrDefault(name, int.MaxValue))
                    .DefaultIfEmpty(int.MaxValue).Min()
                : int.MaxValue;
            if (before < i)
            {
                moved.Add((before, family));
            }
        }

        if (moved.Count == 0)
        {
            return plan;
        }

        var owners = moved.Select(move => move.Family).ToHashSet(ReferenceEqualityComparer.Instance);
        ILookup<int, WrittenFamily> ahead = moved.ToLookup(move => move.Before, move => move.Family);
        return [.. plan.SelectMany((family, place) => owners.Contains(family) ? ahead[place] : ahead[place].Append(family))];
    }

    private static void PlanText(List<WrittenFamily> plan, MetricFamily family)
    {
        List<(string Suffix, IReadOnlyList<PrometheusSample> Samples)> parts = SplitBySuffix(family, IsTextSuffix);
        string main = family.Type switch
        {
            PrometheusMetricType.Info => "_info",
            PrometheusMetricType.Counter when parts.Exists(part => part.Suffix == "_total")
                && !parts.Exists(part => part.Suffix.Length == 0) => "_total",
            _ => "",
        };
        PrometheusMetricType type = family.Type switch
        {
            PrometheusMetricType.Info or PrometheusMetricType.StateSet => PrometheusMetricType.Gauge,
            PrometheusMetricType.GaugeHistogram => PrometheusMetricType.Histogram,
            _ => family.Type,
        };
        int mainPart = parts.FindIndex(part => part.Suffix == main);
        plan.Add(new WrittenFamily(family.Name + main, type, family.Help, null, mainPart < 0 ? [] : parts[mainPart].Samples));
        for (int i = 0; i < parts.Count; i++)
        {
            if (i != mainPart)
            {
                PrometheusMetricType own = parts[i].Suffix == "_total" ? PrometheusMetricType.Counter : PrometheusMetricType.Gauge;
                plan.Add(new WrittenFamily(family.Name + parts[i].Suffix, own, null, null, parts[i].Samples));
            }
        }
    }

    /// <summary>Whether a sample with this suffix belongs to a family of this type in the text format.</summary>
    private static bool IsTextSuffix(PrometheusMetricType type, ReadOnlySpan<char> suffix) => type switch
    {
        PrometheusMetricType.Histogram or PrometheusMetricType.GaugeHistogram => suffix is "" or "_bucket" or "_sum" or "_count",
        PrometheusMetricType.Summary => suffix is "" or "_sum" or "_count",
        _ => suffix is "",
    };

    private static void PlanOpenMetrics(List<WrittenFamily> plan, MetricFamily family, HashSet<string> names)
    {
        if (family.Unit is { Length: > 0 } unit
            && (family.Type is PrometheusMetricType.Info or PrometheusMetricType.StateSet
                || !family.Name.EndsWith("_" + unit, StringComparison.Ordinal)))
        {
            throw new ArgumentException($"OpenMetrics does not allow the unit '{unit}' for the metric family '{family.Name}': "
                + "the name must end with an underscore and the unit, and a family of type info or stateset must not have a unit.");
        }

        // In the text format, a counter has the name of its samples. In OpenMetrics, its name lacks _total.
        const string total = "_total";
        bool isTextCounter = family.Type == PrometheusMetricType.Counter && family.Name.EndsWith(total, StringComparison.Ordinal)
            && family.Name.Length > total.Length && family.Samples.All(sample => sample.Name == family.Name);
        if (isTextCounter && !names.Contains(family.Name[..^total.Length]) && !names.Contains(family.Name[..^total.Length] + "_created"))
        {
            plan.Add(new WrittenFamily(family.Name[..^total.Length], family.Type, family.Help, null, Grouped(family.Samples, _ => null)));
            return;
        }

        IReadOnlyList<PrometheusSample> samples = WithCanonicalBounds(family);
        bool isAllowed = samples.All(sample => IsPartOf(sample.Name, family.Name)
            && OpenMetricsTypes.IsSampleSuffix(family.Type, sample.Name.AsSpan(family.Name.Length))
            && OpenMetricsTypes.HasReservedLabel(family.Type, family.Name, sample));
        if (isAllowed && !TakesNameOfAnother(family, names))
        {
            plan.Add(new WrittenFamily(family.Name, family.Type, family.Help, family.Unit,
                Grouped(samples, name => ReservedLabels.Of(family.Type, family.Name, name.AsSpan(family.Name.Length)))));
            return;
        }

        if (family.Samples.Count == 0)
        {
            plan.Add(new WrittenFamily(family.Name, PrometheusMetricType.Unknown, family.Help, null, []));
        }

        foreach ((string suffix, IReadOnlyList<PrometheusSample> part) in SplitBySuffix(family, (_, suffix) => false))
        {
            plan.Add(new WrittenFamily(
                family.Name + suffix, PrometheusMetricType.Unknown,
                suffix.Length == 0 ? family.Help : null, null, Grouped(part, _ => null)));
        }
    }

    /// <summary>
    /// The samples of a histogram or summary, with bounds and quantiles in the canonical form of OpenMetrics. A series then has the
    /// same labels, whichever program writes it.
    /// </summary>
    private static IReadOnlyList<PrometheusSample> WithCanonicalBounds(MetricFamily family)
    {
        if (family.Type is not (PrometheusMetricType.Histogram or PrometheusMetricType.GaugeHistogram or PrometheusMetricType.Summary))
        {
            return family.Samples;
        }

        PrometheusSample[]? changed = null;
        var spellings = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < family.Samples.Count; i++)
        {
            PrometheusSample sample = family.Samples[i];
            string? label = IsPartOf(sample.Name, family.Name)
                ? ReservedLabels.Of(family.Type, family.Name, sample.Name.AsSpan(family.Name.Length))
                : null;
            if (label is null || sample.Labels[label] is not { } text)
            {
                continue;
            }

            if (!spellings.TryGetValue(text, out string? canonical))
            {
                canonical = PrometheusNumber.TryParseValue(text, out double bound) ? OpenMetricsTypes.FormatBound(bound) : text;
                spellings.Add(text, canonical);
            }

            if (canonical != text)
            {
                changed ??= [.. family.Samples];
                changed[i] = new PrometheusSample(
                    sample.Shape!, sample.Labels.With(label, canonical).ValueArray, labelStart: 0, sample.Value, sample.RawTimestamp);
            }
        }

        return changed ?? family.Samples;
    }

    private static bool TakesNameOfAnother(MetricFamily family, HashSet<string> names)
    {
        foreach (string suffix in OpenMetricsTypes.TakenSuffixes(family.Type))
        {
            if (suffix.Length > 0 && names.Contains(family.Name + suffix))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsPartOf(string sampleName, string family) => sampleName.StartsWith(family, StringComparison.Ordinal);

    /// <summary>
    /// Groups samples by the suffixes of their names. Samples that the format keeps together are one group without a suffix.
    /// </summary>
    private static List<(string Suffix, IReadOnlyList<PrometheusSample> Samples)> SplitBySuffix(
        MetricFamily family, SuffixRule belongsTogether)
    {
        List<string> suffixes = [];
        var partOf = new int[family.Samples.Count];
        string? lastName = null;
        for (int i = 0; i < partOf.Length; i++)
        {
            PrometheusSample sample = family.Samples[i];
            if (ReferenceEquals(sample.Name, lastName))
            {
                partOf[i] = partOf[i - 1];
                continue;
            }

            lastName = sample.Name;
            string suffix = SuffixOf(sample, family);
            suffix = belongsTogether(family.Type, suffix) ? "" : suffix;
            partOf[i] = suffixes.IndexOf(suffix);
            if (partOf[i] < 0)
            {
                partOf[i] = suffixes.Count;
                suffixes.Add(suffix);
            }
        }

        return suffixes.Count == 1 ? [(suffixes[0], family.Samples)]
            : suffixes.ConvertAll(suffix => (suffix,
                (IReadOnlyList<PrometheusSample>)family.Samples.Where((_, i) => suffixes[partOf[i]] == suffix).ToList()));
    }

    private static string SuffixOf(in PrometheusSample sample, MetricFamily family)
    {
        string name = sample.Name;
        string suffix = IsPartOf(name, family.Name) ? name[family.Name.Length..] : " ";
        bool isKnown = suffix.Length == 0 || OpenMetricsTypes.IsSampleSuffix(family.Type, suffix) || IsTextSuffix(family.Type, suffix);
        return isKnown ? suffix
            : throw new ArgumentException(
                $"The sample '{name}' does not belong to the metric family '{family.Name}' of type {family.Type}: "
                + "put it into a family of its own, or give this family the type that has such samples.");
    }

    /// <summary>
    /// Groups the samples by metric, in the order of their first samples, and sorts each group by time. OpenMetrics requires this; the
    /// text format does not.
    /// </summary>
    /// <exception cref="ArgumentException">Two samples have the same series and the same time.</exception>
    private static IReadOnlyList<PrometheusSample> Grouped(IReadOnlyList<PrometheusSample> samples, Func<string, string?> reservedLabel)
    {
        var groups = new Dictionary<LabelSet, int>();
        var seen = new HashSet<(string Name, LabelSet Labels, long? Timestamp)>(samples.Count);
        var keys = new (int Group, long Timestamp)[samples.Count];
        bool isOrdered = true;
        for (int i = 0; i < keys.Length; i++)
        {
            PrometheusSample sample = samples[i];
            if (!seen.Add((sample.Name, sample.Labels, sample.TimestampMilliseconds)))
            {
                throw new ArgumentException(
                    $"Duplicate series {sample.Name}{sample.Labels}"
                    + $"{(sample.TimestampMilliseconds is null ? "" : " with the same timestamp")}, "
                    + "which OpenMetrics does not allow: remove one of the samples, or give them different labels.");
            }

            string? reserved = reservedLabel(sample.Name);
            LabelSet labels = reserved is null ? sample.Labels : sample.Labels.Without(reserved);
            if (!groups.TryGetValue(labels, out int group))
            {
                groups.Add(labels, group = groups.Count);
            }

            keys[i] = (group, sample.TimestampMilliseconds ?? long.MinValue);
            isOrdered &= i == 0 || keys[i].CompareTo(keys[i - 1]) >= 0;
        }

        return isOrdered ? samples : [.. Enumerable.Range(0, keys.Length).OrderBy(i => keys[i]).Select(i => samples[i])];
    }

    private delegate bool SuffixRule(PrometheusMetricType type, ReadOnlySpan<char> suffix);
}
