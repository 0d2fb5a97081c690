using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>One element of the answer to an instant query.</summary>
/// <param name="Labels">Its labels by name, <c>__name__</c> among them where it has one.</param>
/// <param name="Value">Its value.</param>
public sealed record PrometheusSeries(IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>
/// A real Prometheus as a child process, with a database and a port of its own, and its HTTP API. Disposing ends it; a test
/// process that is killed ends it too.
/// </summary>
public sealed partial class PrometheusServer : IAsyncDisposable
{
    private readonly DirectoryInfo _database;
    private readonly HttpClient _http = new() { Timeout = LeashedProcess.Patience };
    private readonly LeashedProcess _process;
    private readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private PrometheusServer(string configuration, DirectoryInfo database, IEnumerable<string> flags)
    {
        _database = database;
        _process = new LeashedProcess(
            "prometheus",
            [
                $"--config.file={configuration}", $"--storage.tsdb.path={database.FullName}", "--web.listen-address=127.0.0.1:0", .. flags,
            ],
            ReadLog);
    }

    /// <summary>Where it listens.</summary>
    public Uri Address => _http.BaseAddress!;

    /// <summary>What Prometheus has logged so far.</summary>
    public string Log => _process.Log;

    /// <summary>Starts a Prometheus and returns when it answers.</summary>
    /// <param name="configuration">The path of its configuration.</param>
    /// <param name="flags">Further command-line flags.</param>
    public static Task<PrometheusServer> StartAsync(string configuration, params string[] flags) =>
        StartOverAsync(NewDatabase(), configuration, flags);

    /// <summary>A folder for <see cref="StartOverAsync"/>.</summary>
    public static DirectoryInfo NewDatabase() => Directory.CreateTempSubdirectory("fal-prometheus-tsdb-");

    /// <summary>Starts a Prometheus over a database that is there already, and returns when it answers.</summary>
    /// <param name="database">The folder; it is deleted in the end.</param>
    /// <param name="configuration">The path of its configuration.</param>
    /// <param name="flags">Further command-line flags.</param>
    public static async Task<PrometheusServer> StartOverAsync(DirectoryInfo database, string configuration, params string[] flags)
    {
        var server = new PrometheusServer(configuration, database, flags);
        try
        {
            Task<Uri> ready = server.WaitUntilReadyAsync();
            if (await Task.WhenAny(ready, server._process.WaitForExitAsync()).WaitAsync(LeashedProcess.Patience) != ready)
            {
                throw server._process.DidNotStart();
            }

            server._http.BaseAddress = await ready;
            return server;
        }
        catch (TimeoutException)
        {
            await server.DisposeAsync();
            throw new TimeoutException($"Prometheus was not ready after {LeashedProcess.Patience}. It says:\n{server.Log}");
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>The answer to an instant query: a vector, or a scalar as one element without labels.</summary>
    public async Task<IReadOnlyList<PrometheusSeries>> QueryAsync(string expression)
    {
        // As a form, since an expression may be longer than an address.
        using var form = new FormUrlEncodedContent([new("query", expression)]);
        using HttpResponseMessage response = await _http.PostAsync(new Uri("api/v1/query", UriKind.Relative), form);
        JsonElement data = await ReadDataAsync(response, expression);
        JsonElement result = data.GetProperty("result");
        return data.GetProperty("resultType").GetString() switch
        {
            "vector" => [.. result.EnumerateArray().Select(element => new PrometheusSeries(
                element.GetProperty("metric").EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString()!),
                ReadValue(element.GetProperty("value"))))],
            "scalar" => [new PrometheusSeries(new Dictionary<string, string>(), ReadValue(result))],
            string other => throw new InvalidOperationException($"{expression} is a {other}, neither a vector nor a scalar."),
            null => throw new InvalidOperationException("The answer has no type."),
        };
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

    /// <summary>Waits until a scrape that began after this call has succeeded, so that its values are what PromQL answers.</summary>
    public Task WaitForNextScrapeAsync(string job)
    {
        double now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
        return WaitForAsync(
            string.Create(CultureInfo.InvariantCulture, $"up{{job=\"{job}\"}} == 1 and timestamp(up{{job=\"{job}\"}}) > {now}")
        );
    }

    /// <summary>The <c>data</c> of any GET of the API, such as <c>api/v1/rules</c>.</summary>
    public async Task<JsonElement> GetAsync(string pathAndQuery)
    {
        using HttpResponseMessage response = await _http.GetAsync(new Uri(pathAndQuery, UriKind.Relative));
        return await ReadDataAsync(response, pathAndQuery);
    }

    /// <summary>Every sample that it holds of the series that a selector names, up to an instant and so long before it.</summary>
    /// <returns>One line a sample: its time in seconds, name, labels and value.</returns>
    public async Task<IReadOnlyList<string>> SamplesAsync(string selector, DateTimeOffset until, TimeSpan before)
    {
        string query = Uri.EscapeDataString(string.Create(CultureInfo.InvariantCulture, $"{selector}[{before.TotalSeconds}s]"));
        JsonElement data = await GetAsync(
            string.Create(CultureInfo.InvariantCulture, $"api/v1/query?query={query}&time={until.ToUnixTimeSeconds()}")
        );
        return
        [
            .. from series in data.GetProperty("result").EnumerateArray()
            let labels = series
                .GetProperty("metric")
                .EnumerateObject()
                .OrderBy(label => label.Name, StringComparer.Ordinal)
                .Select(label => $"{label.Name}=\"{label.Value.GetString()}\"")
            from pair in series.GetProperty("values").EnumerateArray()
            select string.Create(
                CultureInfo.InvariantCulture,
                $"{pair[0].GetDouble():0.###} {{{string.Join(',', labels)}}} {ReadValue(pair):R}"
            ),
        ];
    }

    /// <summary>Ends Prometheus and deletes its database.</summary>
    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _http.Dispose();
        _database.Delete(recursive: true);
    }

    private static async Task<JsonElement> ReadDataAsync(HttpResponseMessage response, string what)
    {
        string body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{what}: {(int)response.StatusCode} {body}");
        using var document = JsonDocument.Parse(body);
        return document.RootElement.GetProperty("data").Clone();
    }

    /// <summary>Reads a pair of time and value; the value is text, so that it can be NaN or infinite.</summary>
    internal static double ReadValue(JsonElement pair) => pair[1].GetString() switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        string number => double.Parse(number, CultureInfo.InvariantCulture),
        null => throw new InvalidOperationException("A value is missing."),
    };

    [GeneratedRegex("""msg="Listening on".* address=(?<address>\S+)""")]
    private static partial Regex ListeningLine { get; }

    private async Task<Uri> WaitUntilReadyAsync()
    {
        // Prometheus writes the two lines from two threads, in either order.
        await _ready.Task;
        return await _listening.Task;
    }

    private void ReadLog(string line)
    {
        if (ListeningLine.Match(line) is { Success: true } match)
        {
            _listening.TrySetResult(new Uri($"http://{match.Groups["address"].ValueSpan}/"));
        }
        else if (line.Contains("Server is ready to receive web requests", StringComparison.Ordinal))
        {
            _ready.TrySetResult();
        }
    }
}
