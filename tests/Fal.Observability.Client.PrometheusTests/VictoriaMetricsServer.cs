using System.Globalization;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>A real VictoriaMetrics with a database and a port of its own, its HTTP API, and its vmalert.</summary>
internal sealed class VictoriaMetricsServer : IAsyncDisposable
{
    private readonly DirectoryInfo _database = Directory.CreateTempSubdirectory("fal-victoria-metrics-");
    private readonly HttpClient _http;
    private readonly LeashedProcess _process;

    private VictoriaMetricsServer(IEnumerable<string> flags)
    {
        Uri address = LeashedProcess.FreeAddress();
        _http = new HttpClient { BaseAddress = address, Timeout = LeashedProcess.Patience };
        _process = new LeashedProcess(
            "victoria-metrics",
            [
                $"-storageDataPath={_database.FullName}", $"-httpListenAddr={address.Authority}",
                // A test asks for what it has just written.
                "-search.latencyOffset=0s", "-search.disableCache", .. flags,
            ]);
    }

    public Uri Address => _http.BaseAddress!;

    /// <summary>Starts one and returns when it answers.</summary>
    public static async Task<VictoriaMetricsServer> StartAsync(params string[] flags)
    {
        var server = new VictoriaMetricsServer(flags);
        try
        {
            await server._process.WaitUntilReadyAsync(server._http, new Uri(server.Address, "health"));
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a program of VictoriaMetrics to its end.</summary>
    /// <returns>The exit code and what it says.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(string program, params IEnumerable<string> arguments)
    {
        await using var process = new LeashedProcess(program, arguments);
        int exitCode = await process.WaitForExitAsync();
        return (exitCode, process.Log);
    }

    /// <summary>
    /// Evaluates rules once a minute over a range of the past, and writes the results beside what the rules read. A replay does not wait
    /// until its results can be read. So each group is replayed by itself, after the groups that it reads.
    /// </summary>
    public async Task ReplayAsync(PrometheusFiles files, DateTimeOffset from, DateTimeOffset to)
    {
        foreach (string group in files.WriteRuleGroups())
        {
            (int exitCode, string output) = await RunAsync(
                "vmalert",
                $"-rule={group}", $"-datasource.url={Address}", $"-remoteWrite.url={Address}", $"-remoteRead.url={Address}",
                $"-replay.timeFrom={Text(from)}", $"-replay.timeTo={Text(to)}", "-replay.disableProgressBar", "-replay.rulesDelay=0s",
                // A replay takes its steps from this flag, whose default is 5 minutes, and not from the group's interval.
                "-datasource.queryStep=1m",
                "-remoteWrite.flushInterval=100ms",
                $"-httpListenAddr={LeashedProcess.FreeAddress().Authority}"
            );
            Assert.True(exitCode == 0, output);
            await FlushAsync();
        }

        static string Text(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
    }

    /// <summary>Stores an exposition as of an instant.</summary>
    public async Task ImportAsync(string exposition, DateTimeOffset instant, string labels)
    {
        using var content = new StringContent(exposition, Encoding.UTF8, "text/plain");
        string timestamp = instant.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        using HttpResponseMessage response = await _http.PostAsync(
            new Uri($"api/v1/import/prometheus?timestamp={timestamp}&{labels}", UriKind.Relative), content);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Makes what was written visible to queries.</summary>
    public async Task FlushAsync()
    {
        using HttpResponseMessage response = await _http.GetAsync(new Uri("internal/force_flush", UriKind.Relative));
        response.EnsureSuccessStatusCode();
    }

    /// <summary>The answer to an instant query, at an instant or now.</summary>
    public async Task<IReadOnlyList<PrometheusSeries>> QueryAsync(string expression, DateTimeOffset? at = null)
    {
        List<KeyValuePair<string, string>> fields = [new("query", expression)];
        if (at is { } instant)
        {
            fields.Add(new("time", instant.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)));
        }

        using var form = new FormUrlEncodedContent(fields);
        using HttpResponseMessage response = await _http.PostAsync(new Uri("api/v1/query", UriKind.Relative), form);
        string body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{expression}: {body}");
        using var document = JsonDocument.Parse(body);
        return
        [
            .. document.RootElement.GetProperty("data").GetProperty("result").EnumerateArray().Select(element => new PrometheusSeries(
                element.GetProperty("metric").EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString()!),
                PrometheusServer.ReadValue(element.GetProperty("value")))),
        ];
    }

    /// <summary>Asks again and again until the answer is not empty.</summary>
    public async Task<IReadOnlyList<PrometheusSeries>> WaitForAsync(string expression)
    {
        IReadOnlyList<PrometheusSeries> answer = [];
        await WaitUntilAsync(async () => (answer = await QueryAsync(expression)).Count > 0, $"{expression} stayed empty");
        return answer;
    }

    /// <summary>Asks again and again until the answer is yes.</summary>
    /// <param name="condition">What is asked.</param>
    /// <param name="failure">What is wrong if the answer stays no.</param>
    public Task WaitUntilAsync(Func<Task<bool>> condition, string failure) => _process.WaitUntilAsync(condition, failure);

    /// <summary>Every sample that it holds of the series that a selector names.</summary>
    /// <returns>One line a sample, as <see cref="PrometheusServer.SamplesAsync"/> has it, in order.</returns>
    public async Task<string[]> SamplesAsync(string selector) =>
        [
            .. (await ExportAsync(selector))
                .Select(sample =>
                {
                    IEnumerable<string> labels = sample
                        .Labels.OrderBy(label => label.Key, StringComparer.Ordinal)
                        .Select(label => $"{label.Key}=\"{label.Value}\"");
                    return string.Create(
                        CultureInfo.InvariantCulture,
                        $"{sample.Time.ToUnixTimeMilliseconds() / 1000.0:0.###} {{{string.Join(',', labels)}}} {sample.Value:R}"
                    );
                })
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>Every sample that it holds of the series that a selector names, with its time.</summary>
    public async Task<IReadOnlyList<(IReadOnlyDictionary<string, string> Labels, DateTimeOffset Time, double Value)>> ExportAsync(
        string selector
    )
    {
        await FlushAsync();
        string lines = await _http.GetStringAsync(new Uri($"api/v1/export?match[]={Uri.EscapeDataString(selector)}", UriKind.Relative));
        var samples = new List<(IReadOnlyDictionary<string, string>, DateTimeOffset, double)>();
        foreach (string line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var document = JsonDocument.Parse(line);
            var labels = document
                .RootElement.GetProperty("metric")
                .EnumerateObject()
                .ToDictionary(label => label.Name, label => label.Value.GetString()!);
            samples.AddRange(
                document
                    .RootElement.GetProperty("timestamps")
                    .EnumerateArray()
                    .Zip(document.RootElement.GetProperty("values").EnumerateArray())
                    .Select(pair =>
                        (
                            (IReadOnlyDictionary<string, string>)labels,
                            DateTimeOffset.FromUnixTimeMilliseconds(pair.First.GetInt64()),
                            pair.Second.GetDouble()
                        )
                    )
            );
        }

        return samples;
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _http.Dispose();
        _database.Delete(recursive: true);
    }
}
