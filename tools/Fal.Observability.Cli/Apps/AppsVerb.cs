using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Fal.Observability.Client;
using Spectre.Console;

namespace Fal.Observability.Cli.Apps;

/// <summary>What the account owns and what each app does now: the list of apps beside the live metrics.</summary>
internal static class AppsVerb
{
    // Below this a table would cut its words into pieces.
    private const int NarrowestTable = 60;

    private static readonly (string Title, Func<LiveApp, string> Value)[] Columns =
    [
        ("app", app => Screen.OneLine(app.Name)),
        ("environment", app => Screen.OneLine(app.Listed?.Environment ?? "-")),
        ("machine", app => Screen.OneLine(app.Listed?.MachineType ?? "-")),
        ("runners", app => Text(app.Live?.RunnerCount)),
        ("limit", app => Text(app.Listed?.MaxConcurrency)),
        ("queue", app => Text(app.Live?.QueueSize)),
        ("in progress", app => Text(app.Live?.ConcurrentRequests)),
        ("p90 s", app => Text(app.Live?.Latency?.Quantile(0.9))),
    ];

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Write one JSON object instead of a table." };
        Option<string[]?> environments = Words.Environments();
        Option<string?> search = Words.Option<string?>("--search", "TEXT", "Only apps whose name contains the text.", text => text);
        Option<Uri?> baseAddress = Words.BaseAddress();
        var verb = new Command("apps", "List the account's apps and what they are doing now.") { json, environments, search, baseAddress };
        verb.SetAction(async (parsed, cancellationToken) =>
        {
            await using Account account = await Account.OpenAsync(parsed.GetValue(baseAddress), cancellationToken);
            string? part = parsed.GetValue(search);
            Task<FalAppList> listing = account.Client.Apps.ListAsync(
                new FalAppQuery(parsed.GetValue(environments) ?? []) { Search = part }, cancellationToken);
            FalMetricsSnapshot live = await account.Client.Metrics.GetSnapshotAsync(cancellationToken);
            LiveApp[] apps = [.. LiveApp.Join(await listing, live, withUnlisted: part is null)];
            if (parsed.GetValue(json))
            {
                WriteJson(apps, live.Timestamp, isSimulated: account.IsSimulated);
            }
            else if (apps.Length > 0)
            {
                WriteTable(apps);
            }
            else
            {
                await Console.Error.WriteLineAsync(part is null
                    ? "The account owns no app in this environment."
                    : Screen.OneLine($"No app in this environment has a name that contains '{part}'."));
            }

            return ExitCode.Done;
        });
        return verb;
    }

    private static void WriteTable(LiveApp[] apps)
    {
        IAnsiConsole console = Screen.Output();
        if (console.Profile.Width < NarrowestTable)
        {
            foreach (LiveApp app in apps)
            {
                Console.WriteLine(
                    string.Join(
                        Environment.NewLine,
                        Columns.Select((column, i) => i == 0 ? column.Value(app) : $"  {column.Title} {column.Value(app)}")
                    )
                );
            }

            return;
        }

        Table table = new Table().Border(Console.IsOutputRedirected ? TableBorder.None : TableBorder.Rounded);
        foreach ((string title, _) in Columns)
        {
            table.AddColumn(new TableColumn(new Text(title, new Style(decoration: Decoration.Bold))));
        }

        foreach (LiveApp app in apps)
        {
            table.AddRow(Columns.Select(column => new Text(column.Value(app))));
        }

        console.Write(table);
    }

    private static void WriteJson(LiveApp[] apps, DateTimeOffset timestamp, bool isSimulated)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteBoolean("simulated", isSimulated);
            json.WriteString("timestamp", timestamp.UtcDateTime);
            json.WriteStartArray("apps");
            foreach (LiveApp app in apps)
            {
                json.WriteStartObject();
                json.WriteString("endpoint_id", app.Name);
                json.WriteString("environment", app.Listed?.Environment);
                json.WriteString("machine_type", app.Listed?.MachineType);
                Write(json, "runners", app.Live?.RunnerCount);
                json.WriteStartObject("runners_by_state");
                foreach (
                    IGrouping<string, FalRunnerCount> state in (app.Live?.Runners ?? []).GroupBy(
                        runner => runner.State,
                        StringComparer.Ordinal
                    )
                )
                {
                    Write(json, state.Key, state.Sum(runner => runner.Count));
                }

                json.WriteEndObject();
                Write(json, "max_concurrency", app.Listed?.MaxConcurrency);
                Write(json, "queue_size", app.Live?.QueueSize);
                Write(json, "concurrent_requests", app.Live?.ConcurrentRequests);
                Write(json, "p90_latency_seconds", app.Live?.Latency?.Quantile(0.9));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        Console.WriteLine(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }

    // JSON has no number for NaN.
    private static void Write(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number))
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private static string Text(double? value) => value?.ToString("0.##", CultureInfo.InvariantCulture) ?? "-";
}
