using System.Globalization;
using System.Text;
using System.Text.Json;
using Fal.Observability.Client;

namespace Fal.Observability.Backfill;

/// <summary>
/// Writes a folder of hours: a file for each window, and a checkpoint after each file. After an interruption the next run continues there.
/// A run on a completed folder adds the hours that have closed since.
/// </summary>
/// <param name="analytics">Where the hours come from; a window has 24 of them.</param>
/// <param name="folder">Where they go to.</param>
/// <param name="time">The clock.</param>
/// <param name="say">Told what happens, in lines for a person.</param>
internal sealed class BackfillRun(IFalAnalyticsClient analytics, string folder, TimeProvider time, Action<string> say)
{
    private const string NameFormat = "yyyyMMdd'T'HHmm'Z'";

    private readonly string _checkpointFile = Path.Combine(folder, "checkpoint.json");

    /// <summary>Writes what is not there yet.</summary>
    /// <param name="endpointIds">The endpoints.</param>
    /// <param name="days">The first and the last day, in UTC; null: from thirty days ago until now.</param>
    /// <exception cref="ArgumentException">The folder holds a backfill of other endpoints or days.</exception>
    public async Task RunAsync(IReadOnlyList<string> endpointIds, (DateOnly First, DateOnly Last)? days)
    {
        var query = new AnalyticsQuery(endpointIds)
        {
            Expand = AnalyticsExpand.Standard,
            // The checkpoints that are made below fix it.
            Range = days is { } some ? AnalyticsTimeRange.Days(some.First, some.Last) : AnalyticsTimeRange.Last(TimeSpan.FromDays(30)),
            Timeframe = AnalyticsTimeframe.Hour,
            RefusedEndpoints = RefusedEndpointPolicy.Skip,
            ClosedOnly = true,
        };
        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset from = Midnight(days?.First ?? DateOnly.FromDateTime(now.UtcDateTime).AddDays(-30));
        DateTimeOffset end = days is { } named && Midnight(named.Last.AddDays(1)) < now ? Midnight(named.Last.AddDays(1)) : now;
        if (File.Exists(_checkpointFile))
        {
            AnalyticsCheckpoint checkpoint = AnalyticsCheckpoint.FromJson(await File.ReadAllTextAsync(_checkpointFile));
            say(checkpoint.IsComplete ? "Continues with the new hours." : $"Continues: {checkpoint}");
            await WriteAsync(query, checkpoint);
            from = NewestButOne() ?? from;
        }

        if (from < end)
        {
            await WriteAsync(query, AnalyticsCheckpoint.Create(query, from, end));
        }

        say($"{folder} holds {Windows().Count()} files. Each covers 24 hours and is named after the instant, in UTC, at which they begin.");
        say("It has a line of JSON for each completed hour, with a row for each endpoint.");
        say("Run the same command again later to add the new hours. It rewrites the two newest files, because data may arrive late.");
        say("checkpoint.json records where an interrupted run continues.");
    }

    private async Task WriteAsync(AnalyticsQuery query, AnalyticsCheckpoint from)
    {
        await foreach (AnalyticsWindow window in analytics.StreamWindowsAsync(query, from))
        {
            // The window first, under its own name, then the checkpoint: ended in between, the window is written again over itself.
            var lines = new StringBuilder();
            foreach (AnalyticsBucket bucket in window.TimeSeries)
            {
                // By way of bytes: a field that is new is kept as it was sent, and what is not UTF-8 in it becomes U+FFFD here.
                byte[] json = JsonSerializer.SerializeToUtf8Bytes(bucket, BackfillJson.Default.AnalyticsBucket);
                lines.Append(Encoding.UTF8.GetString(json)).Append('\n');
            }

            string name = window.Range.Start!.Value.UtcDateTime.ToString(NameFormat, CultureInfo.InvariantCulture);
            if (lines.Length > 0)
            {
                await ReplaceAsync(Path.Combine(folder, $"{name}.jsonl"), lines.ToString());
            }

            await ReplaceAsync(_checkpointFile, window.Checkpoint.ToJson());
            say($"{name}: {window.TimeSeries.Count} hours");
            foreach (AnalyticsRefusedEndpoint refused in window.RefusedEndpoints)
            {
                say($"  left out: {refused.EndpointId} ({refused.Message})");
            }
        }
    }

    /// <summary>When the newest file but one begins, or the only one; null if there is none.</summary>
    private DateTimeOffset? NewestButOne() => Windows().OrderDescending().Take(2).Select(window => (DateTimeOffset?)window).LastOrDefault();

    private IEnumerable<DateTimeOffset> Windows()
    {
        foreach (string path in Directory.EnumerateFiles(folder, "*.jsonl"))
        {
            if (
                DateTimeOffset.TryParseExact(
                    Path.GetFileNameWithoutExtension(path),
                    NameFormat,
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal,
                    out DateTimeOffset start
                )
            )
            {
                yield return start;
            }
        }
    }

    private static DateTimeOffset Midnight(DateOnly day) => new(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);

    // A file is either complete or absent.
    private static async Task ReplaceAsync(string path, string text)
    {
        string temporary = $"{path}.tmp";
        await File.WriteAllTextAsync(temporary, text);
        File.Move(temporary, path, overwrite: true);
    }
}
