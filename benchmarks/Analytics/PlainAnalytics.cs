using System.Text.Json.Serialization;

namespace Fal.Observability.Client.Benchmarks;

/// <summary>What somebody without the package would write for the same rows: classes with a property for each field.</summary>
internal sealed class PlainPage
{
    public string? NextCursor { get; set; }

    public List<PlainBucket>? TimeSeries { get; set; }

    public List<PlainRow>? Summary { get; set; }
}

internal sealed class PlainBucket
{
    public DateTimeOffset Bucket { get; set; }

    public List<PlainRow>? Results { get; set; }
}

internal sealed class PlainRow
{
    public string EndpointId { get; set; } = "";

    public long? RequestCount { get; set; }

    public long? SuccessCount { get; set; }

    public long? UserErrorCount { get; set; }

    public long? ErrorCount { get; set; }

    public long? StartupErrorCount { get; set; }

    public long? ConnectionErrorCount { get; set; }

    public long? TimeoutErrorCount { get; set; }

    public long? RuntimeErrorCount { get; set; }

    public double? P50PrepareDuration { get; set; }

    public double? P75PrepareDuration { get; set; }

    public double? P90PrepareDuration { get; set; }

    public double? P95PrepareDuration { get; set; }

    public double? P99PrepareDuration { get; set; }

    public double? P25Duration { get; set; }

    public double? P50Duration { get; set; }

    public double? P75Duration { get; set; }

    public double? P90Duration { get; set; }

    public double? P95Duration { get; set; }

    public double? P99Duration { get; set; }

    public long? ColdBootCount { get; set; }

    public double? P50ColdBootDuration { get; set; }

    public double? P75ColdBootDuration { get; set; }

    public double? P90ColdBootDuration { get; set; }

    public double? TotalBillableDuration { get; set; }
}

/// <summary>The metadata of both: those classes, and the package's own page as any program can have it in a context.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(PlainPage))]
[JsonSerializable(typeof(AnalyticsPage))]
internal sealed partial class AnalyticsBenchmarkJson : JsonSerializerContext;
