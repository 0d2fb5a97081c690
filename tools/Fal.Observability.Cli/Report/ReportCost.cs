namespace Fal.Observability.Cli.Report;

/// <summary>The part of the page about the cost.</summary>
internal sealed partial class ReportPage
{
    /// <summary>The apps whose cost is not known, although the bill is.</summary>
    private AppFigures[] WithoutCost => _account.Bill is null ? [] : [.. _account.Apps.Where(app => app.Costs.Count == 0)];

    private void Cost()
    {
        if (_account.Bill is not { } bill)
        {
            _html.Element("p", "The cost is not known, because the service refuses the usage of the account to this key.");
            return;
        }

        AppFigures[] withoutCost = WithoutCost;
        ((string App, string? Environment, CostFigures? Cost) Item, string Path)[] costs =
        [
            .. bill.Totals.Select((total, i) => (
                (bill.IncludesOtherApps ? "Apps of this report" : "The whole bill", total.Environment, (CostFigures?)total),
                Path("bill.totals", i))),
            .. AllApps.SelectMany(app => app.App.Costs.Select((cost, i) =>
                    ((app.App.App, cost.Environment, Cost: (CostFigures?)cost), $"{app.Path}.{Path("costs", i)}")))
                .OrderBy(row => row.Item1.Cost!.Currency, StringComparer.Ordinal)
                .ThenByDescending(row => row.Item1.Cost!.Cost),
            .. withoutCost.Select(app => (
                (app.App, app.Environments.Count == 1 ? app.Environments[0] : null, (CostFigures?)null), "")),
        ];
        _html.Element(
            "p",
            "Idle time is an estimate: the cost of the app times its idle share. The total is that of the apps for which both are known.",
            ("class", "soft"));
        if (bill.ProvisionalSince is { } since)
        {
            _html.Open("p", ("class", "soft")).Element("span", "Provisional:", ("class", "mark warn")).Text(" the cost since ");
            Time(since);
            _html.Text(" UTC may still change, in every table of this section.").Close();
        }

        string provisional = bill.ProvisionalSince is null ? "" : ", provisional";
        Table(
            "Cost by app",
            costs,
            new("App", (row, _) => Link(row.App)),
            new("Environment", (row, _) => Environment(row.Environment), IsWord: true),
            new($"Cost{provisional}", (row, path) =>
                ComparedMoney($"{path}.cost", row.Cost?.Cost, row.Cost?.CostBefore, Amount(row.Cost?.Currency))),
            new("Change", (row, _) => _html.Text(FigureText.Change((double?)row.Cost?.Change) ?? FigureText.Unknown)),
            new("Cost of 1,000 successes", (row, path) => ComparedMoney(
                $"{path}.cost_per_thousand_successes",
                row.Cost?.CostPerThousandSuccesses,
                row.Cost?.CostPerThousandSuccessesBefore,
                Price(row.Cost?.Currency))),
            new("Cost of idle time", (row, path) => Figure($"{path}.idle_cost", row.Cost?.IdleCost, Amount(row.Cost?.Currency))),
            new("Machine time", (row, path) => Hours($"{path}.machine_seconds", row.Cost?.MachineSeconds)));
        if (withoutCost.Length > 0)
        {
            _html.Element("p", NoOwnCost(withoutCost.Length, bill), ("class", "soft"));
        }

        if (bill.Unattributed.Count > 0)
        {
            _html.Element(
                "p",
                "Unattributed: these lines of the bill have no name, a name that no listed app has, or the name of a listed app in " +
                    "another environment. An app is probable if its name and a hyphen begin the name on the bill. The costs of the apps " +
                    $"do not include these lines.{Advice(bill)}",
                ("class", "soft"));
            Table(
                "Unattributed cost",
                bill.Unattributed.Select((rest, i) => (rest, Path("bill.unattributed", i))),
                new("Name on the bill", (rest, _) => BilledLine(rest)),
                new("Environment", (rest, _) => Environment(rest.Environment), IsWord: true),
                new($"Cost{provisional}", (rest, path) =>
                    ComparedMoney($"{path}.cost", rest.Cost, rest.CostBefore, Amount(rest.Currency))));
        }

        if (bill.MachineTypes.Count > 0)
        {
            Table(
                bill.IncludesOtherApps ? "Cost of the whole account by machine type" : "Cost by machine type",
                bill.MachineTypes.Select((machine, i) => (machine, Path("bill.machine_types", i))),
                new("Machine type", (machine, _) => _html.Text(machine.MachineType is null ? "not named" : Shown(machine.MachineType))),
                new($"Cost{provisional}", (machine, path) => Money($"{path}.cost", machine.Cost, machine.Currency)),
                new("Machine time", (machine, path) => Hours($"{path}.machine_seconds", machine.MachineSeconds)));
        }
    }

    private void BilledLine(UnattributedFigures rest)
    {
        _html.Text(BilledName(rest));
        if (rest.ProbableApp is { } app)
        {
            _html.Open("small").Text("probably ");
            Link(app);
            _html.Close();
        }
    }

    /// <summary>The name of a line of the bill that belongs to no listed app.</summary>
    private static string BilledName(UnattributedFigures rest) => rest.App is null ? "no name" : Shown(rest.App);

    private static string BilledNameAndApp(UnattributedFigures rest) =>
        rest.ProbableApp is { } app ? $"{BilledName(rest)} (probably {Shown(app)})" : BilledName(rest);

    /// <summary>What helps to attribute more, if anything does.</summary>
    private static string Advice(BillFigures bill) => bill.UnlistedEnvironments.Count == 0
        ? ""
        : $" Apps of {Names(bill.UnlistedEnvironments.Select(Shown))} were not listed. Add " +
            $"{(bill.UnlistedEnvironments.Count == 1 ? "it" : "them")} to --environments to list their apps too.";

    private static string NoOwnCost(int apps, BillFigures bill)
    {
        string subject = apps == 1
            ? $"1 app has a dash ({FigureText.Unknown}) because no line of the bill names it in its environment"
            : $"{FigureText.Count(apps)} apps have a dash ({FigureText.Unknown}) because no line of the bill names them in their " +
                "environment";
        return bill.Unattributed.Count > 0
            ? $"{subject}: see Unattributed cost."
            : $"{subject}.";
    }
}
