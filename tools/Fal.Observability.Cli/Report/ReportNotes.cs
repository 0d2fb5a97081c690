namespace Fal.Observability.Cli.Report;

/// <summary>What to know about the figures of the first screen.</summary>
internal sealed partial class ReportPage
{
    private void Gaps()
    {
        PeriodFigures period = _account.Period;
        UnattributedFigures[] unattributed = [.. _account.Bill?.Unattributed ?? []];
        bool countsDiffer = _account.Availability is { RequestCount: { } judged } && judged != _account.Traffic.RequestCount.Value;
        bool isProvisional = period.ProvisionalBucketCount > 0 || _account.Bill?.ProvisionalSince is not null;
        if (!isProvisional && _account.Gaps.Count == 0 && unattributed.Length == 0 && WithoutCost.Length == 0 && !countsDiffer)
        {
            return;
        }

        _html.Element("h2", "What to know about these figures").Open("ul", ("class", "points"));
        if (period.ProvisionalSince is { } since)
        {
            _html.Open("li").Text("Provisional: the figures since ");
            Time(since);
            _html.Text(" UTC may still change. Since ").Text($"{FigureText.Clock(since)}, there were ");
            Figure("period.provisional_request_count", period.ProvisionalRequestCount, FigureText.Count);
            _html.Text(" requests. In plots, a dashed line marks where these figures begin.").Close();
        }

        if (_account.Bill?.ProvisionalSince is { } today)
        {
            _html.Open("li").Text("Provisional: the cost since ");
            Time(today);
            _html.Text(" UTC may still change, because this day has not ended.").Close();
        }

        if (countsDiffer)
        {
            AvailabilityFigures slo = _account.Availability!;
            _html.Open("li").Text("Two counts: the objective is judged by ")
                .Text($"{FigureText.Count(slo.RequestCount)} requests, those of the completed {_bucket}s in its ")
                .Text($"{Window(slo)}. The whole period, which all other figures are about, has ")
                .Text($"{FigureText.Count(_account.Traffic.RequestCount.Value)}.").Close();
        }

        foreach (ReportGap gap in _account.Gaps)
        {
            _html.Open("li", ("data-gap", gap.Kind));
            if (gap.Subject is { } subject)
            {
                _html.Element("strong", Shown(subject)).Text(": ");
            }

            _html.Text(Shown(gap.Text)).Close();
        }

        foreach (IGrouping<string, UnattributedFigures> currency in unattributed.GroupBy(rest => rest.Currency, StringComparer.Ordinal))
        {
            _html.Open("li").Text($"Unattributed: {Unattributed([.. currency])} of the bill belongs to no listed app. Its names on the ");
            _html.Text($"bill are {Names(currency.Select(BilledNameAndApp))}. The section Cost lists it.").Close();
        }

        if (WithoutCost is { Length: > 0 } withoutCost)
        {
            _html.Open("li").Text(withoutCost.Length == 1
                ? "The cost of 1 app is not known: "
                : $"The cost of {FigureText.Count(withoutCost.Length)} apps is not known: ");
            Links(withoutCost.Select(app => app.App));
            _html.Text(".").Close();
        }

        _html.CloseLine();
    }

    /// <summary>The unattributed cost in one currency, beside that of the period before.</summary>
    private static string Unattributed(UnattributedFigures[] rest)
    {
        string cost = FigureText.Money(rest.Sum(line => line.Cost), rest[0].Currency);
        return rest.All(line => line.CostBefore is not null)
            ? $"{cost} (before: {FigureText.Money(rest.Sum(line => line.CostBefore), rest[0].Currency)})"
            : cost;
    }
}
