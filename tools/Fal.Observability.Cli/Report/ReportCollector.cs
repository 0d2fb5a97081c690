using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Fal.Observability.Client;

namespace Fal.Observability.Cli.Report;

/// <summary>Reads everything that a report needs.</summary>
internal sealed class ReportCollector(IFalObservabilityClient client, TimeProvider time)
{
    // The service answers for one app at a time.
    private const int HistoriesAtOnce = 4;

    /// <summary>Reads the data, with a bar on the error output for each kind.</summary>
    /// <exception cref="FalObservabilityException">The service does not answer.</exception>
    public async Task<ReportSources> CollectAsync(ReportRequest request, CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        AnalyticsTimeRange range = request.RangeAt(now);
        // Exactly as long: the period until now ends in the middle of a bucket.
        var before = AnalyticsTimeRange.Between(range.Start!.Value - (range.End!.Value - range.Start.Value), range.Start.Value);
        List<ReportGap> gaps = [.. request.Gaps];
        (AnalyticsReport requests, AnalyticsReport? requestsBefore) =
            await ReadRequestsAsync(request, range, before, gaps, cancellationToken);
        string[] apps =
        [
            .. request.EndpointIds.Except(requests.RefusedEndpoints.Select(refused => refused.EndpointId)).Select(EndpointChoice.AppOf)
                .Distinct(StringComparer.Ordinal),
        ];
        (IReadOnlyDictionary<string, FalRunnerHistory> mean, IReadOnlyDictionary<string, FalRunnerHistory> most) =
            await ReadRunnersAsync(apps, request.Timeframe, range, now, gaps, cancellationToken);
        UsageReport? usage = null;
        UsageReport? usageByDay = null;
        UsageReport? usageBefore = null;
        try
        {
            await Screen.WithProgressAsync("usage", async show =>
            {
                // The join with the requests needs the same buckets, and only their sum.
                usage = await client.Usage.GetReportAsync(
                    new UsageQuery { Range = range, Timeframe = request.Timeframe, Expand = UsageExpand.Summary }, cancellationToken);
                show(1, 3);
                usageByDay = await client.Usage.GetReportAsync(
                    new UsageQuery { Range = range, Timeframe = AnalyticsTimeframe.Day, BoundToTimeframe = false }, cancellationToken);
                show(2, 3);
                usageBefore = await client.Usage.GetReportAsync(
                    new UsageQuery
                    {
                        Range = before,
                        Timeframe = request.Timeframe,
                        Expand = UsageExpand.Summary,
                        BoundToTimeframe = false,
                    },
                    cancellationToken);
            });
        }
        catch (FalApiException refusal) when (IsRefusal(refusal))
        {
            gaps.Add(new ReportGap("cost", null, usage is null
                ? $"The service refuses the usage of the account, so the report has no cost. {Sentence(refusal.Message)}"
                : $"The service refuses a part of the usage of the account. {Sentence(refusal.Message)}"));
        }

        return new ReportSources
        {
            Request = request,
            CollectedAt = now,
            Requests = requests,
            RequestsBefore = requestsBefore,
            MeanRunners = mean,
            MostRunners = most,
            Usage = usage,
            UsageByDay = usageByDay,
            UsageBefore = usageBefore,
            Gaps = gaps,
        };
    }

    /// <summary>Whether the service will not answer this call, while it may answer others.</summary>
    public static bool IsRefusal(FalApiException failure) =>
        failure is FalForbiddenException { Reason: FalForbiddenReason.PermissionOrOwnership }
            or { StatusCode: HttpStatusCode.NotFound or HttpStatusCode.BadRequest };

    /// <summary>A text of the service's with one full stop.</summary>
    public static string Sentence(string text) => $"{text.TrimEnd().TrimEnd('.')}.";

    private async Task<(AnalyticsReport Requests, AnalyticsReport? Before)> ReadRequestsAsync(
        ReportRequest request,
        AnalyticsTimeRange range,
        AnalyticsTimeRange before,
        List<ReportGap> gaps,
        CancellationToken cancellationToken)
    {
        var query = new AnalyticsQuery(request.EndpointIds)
        {
            Expand = AnalyticsExpand.AllMetrics | AnalyticsExpand.Structure,
            Range = range,
            Timeframe = request.Timeframe,
            RefusedEndpoints = RefusedEndpointPolicy.Skip,
            DegradeOnServerError = true,
        };
        AnalyticsReport? requests = null;
        AnalyticsReport? requestsBefore = null;
        await Screen.WithProgressAsync("analytics", async show => requests = await client.Analytics.GetReportAsync(
            query, new Progress<AnalyticsProgress>(done => show(done.WindowsDone, done.Windows)), cancellationToken));
        gaps.AddRange(requests!.RefusedEndpoints.Select(refused => new ReportGap(
            "refused_endpoint",
            refused.EndpointId,
            $"The service refuses the endpoint: {Sentence(refused.Message ?? string.Create(
                CultureInfo.InvariantCulture, $"it answers {(int)refused.StatusCode}"))} No figure includes it.")));
        gaps.AddRange(requests.MissingMetrics.Select(missing => new ReportGap(
            "missing_metrics", missing.EndpointId, $"The service fails on {Words.NamesOf(missing.Metrics)}. These figures are missing.")));
        try
        {
            AnalyticsQuery earlier = query with
            {
                Expand = AnalyticsExpand.AllMetrics | AnalyticsExpand.Summary,
                Range = before,
                BoundToTimeframe = false,
            };
            await Screen.WithProgressAsync(
                "analytics, the period before",
                async _ => requestsBefore = await client.Analytics.GetReportAsync(earlier, null, cancellationToken));
        }
        catch (FalApiException refusal) when (IsRefusal(refusal))
        {
            gaps.Add(new ReportGap(
                "period_before", null, $"The service provides no analytics for the previous period. {Sentence(refusal.Message)}"));
        }

        return (requests, requestsBefore);
    }

    private async Task<(IReadOnlyDictionary<string, FalRunnerHistory> Mean, IReadOnlyDictionary<string, FalRunnerHistory> Most)>
        ReadRunnersAsync(
            string[] apps,
            AnalyticsTimeframe timeframe,
            AnalyticsTimeRange range,
            DateTimeOffset now,
            List<ReportGap> gaps,
            CancellationToken cancellationToken)
    {
        ConcurrentDictionary<string, FalRunnerHistory> mean = new(StringComparer.Ordinal);
        ConcurrentDictionary<string, FalRunnerHistory> most = new(StringComparer.Ordinal);
        ConcurrentDictionary<string, FalApiException> refusals = new(StringComparer.Ordinal);
        DateTimeOffset oldest = now - FalRunnerHistoryQuery.Longest + TimeSpan.FromMinutes(1);
        string days = FalRunnerHistoryQuery.Longest.TotalDays.ToString(CultureInfo.InvariantCulture);
        if (range.End <= oldest)
        {
            gaps.Add(new ReportGap("runners", null, $"The service keeps the runner history for {days} days. The period is older."));
            return (mean, most);
        }

        if (range.Start < oldest)
        {
            gaps.Add(new ReportGap("runners", null, string.Create(
                CultureInfo.InvariantCulture,
                $"The service keeps the runner history for {days} days. Idle shares and peaks cover only the time since " +
                    $"{oldest.UtcDateTime:yyyy-MM-dd HH:mm} UTC.")));
            range = AnalyticsTimeRange.Between(oldest, range.End!.Value);
        }

        int done = 0;
        await Screen.WithProgressAsync("runner history", show => Parallel.ForEachAsync(
            apps,
            new ParallelOptions { MaxDegreeOfParallelism = HistoriesAtOnce, CancellationToken = cancellationToken },
            async (app, cancelled) =>
            {
                try
                {
                    mean[app] = await client.Apps.GetRunnerHistoryAsync(app, range, timeframe, FalRunnerAggregation.Average, cancelled);
                    most[app] = await client.Apps.GetRunnerHistoryAsync(app, range, timeframe, FalRunnerAggregation.Max, cancelled);
                }
                catch (FalApiException refusal) when (IsRefusal(refusal))
                {
                    refusals[app] = refusal;
                }

                show(Interlocked.Increment(ref done), apps.Length);
            }));
        gaps.AddRange(refusals.OrderBy(refusal => refusal.Key, StringComparer.Ordinal).Select(refusal => new ReportGap(
            "runners", refusal.Key, $"The service refuses the runner history of the app. {Sentence(refusal.Value.Message)}")));
        return (mean, most);
    }
}
