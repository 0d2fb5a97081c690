using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Tools;

/// <summary>Receives the analytics that cannot become samples.</summary>
internal interface ILeftOut
{
    /// <summary>A sample is left out, because an earlier one has its classic name and labels.</summary>
    /// <param name="account">The value of the label <c>account</c>.</param>
    /// <param name="sent">The sample as it was sent.</param>
    /// <param name="name">Its classic name.</param>
    /// <param name="first">The series of the earlier one.</param>
    /// <param name="isSame">Whether it is the same series, sent twice.</param>
    void Series(string account, in PrometheusSample sent, string name, SentSeries first, bool isSame);

    /// <summary>A row is left out, because it has no readable endpoint id.</summary>
    /// <param name="account">The value of the label <c>account</c>.</param>
    /// <param name="timeframe">The length of its bucket.</param>
    void Row(string account, string timeframe);

    /// <summary>A value is left out, because it is not a finite number.</summary>
    /// <param name="account">The value of the label <c>account</c>.</param>
    /// <param name="endpoint">The endpoint of its row.</param>
    /// <param name="metric">The metric, as the service names it.</param>
    void Value(string account, string endpoint, string metric);
}
