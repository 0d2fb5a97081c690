using System.Globalization;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Cli.History;

/// <summary>Counts what cannot become a sample of the file, and remembers the first case.</summary>
internal sealed class HistoryLeftOut : ILeftOut
{
    private long _count;
    private string? _first;

    public void Series(string account, in PrometheusSample sent, string name, SentSeries first, bool isSame) => Add(isSame
        ? $"the service sends {new SentSeries(sent.Name, sent.Labels)} more than once"
        : $"{new SentSeries(sent.Name, sent.Labels)} becomes the same series as {first}");

    public void Row(string account, string timeframe) => Add($"a row of one {timeframe} has no readable endpoint id");

    public void Value(string account, string endpoint, string metric) => Add($"{metric} of {endpoint} is not a finite number");

    /// <summary>One line about what was left out; null: nothing was.</summary>
    public string? Describe() => _count == 0 ? null
        : string.Create(CultureInfo.InvariantCulture, $"left out: {_count} rows and samples. The first: {ShownText.Of(_first!)}.");

    private void Add(string what)
    {
        _count++;
        _first ??= what;
    }
}
