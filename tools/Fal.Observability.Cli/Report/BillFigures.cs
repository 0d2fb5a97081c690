namespace Fal.Observability.Cli.Report;

/// <summary>What an app cost in one environment and currency.</summary>
/// <param name="Environment">The environment; null: not known, or a total.</param>
/// <param name="Currency">The currency of all amounts.</param>
/// <param name="Cost">What was charged.</param>
/// <param name="CostBefore">What was charged in the period before; null: not known.</param>
/// <param name="MachineSeconds">The machine time on the bill; null: not known.</param>
/// <param name="CostPerThousandSuccesses">The cost of 1,000 successful requests; null: not known.</param>
/// <param name="CostPerThousandSuccessesBefore">The same in the period before; null: not known.</param>
/// <param name="IdleCost">
/// An estimate of what the idle time cost: the cost times the idle share; for a total, the sum of the estimates of its apps. Null: not
/// known.
/// </param>
internal sealed record CostFigures(
    string? Environment,
    string Currency,
    decimal Cost,
    decimal? CostBefore,
    decimal? MachineSeconds,
    decimal? CostPerThousandSuccesses,
    decimal? CostPerThousandSuccessesBefore,
    decimal? IdleCost)
{
    /// <summary>The difference as a share of the earlier cost.</summary>
    public decimal? Change => CostBefore > 0 ? (Cost / CostBefore) - 1 : null;
}

/// <summary>The bill of the account.</summary>
internal sealed record BillFigures
{
    /// <summary>
    /// The cost of what the report is about, for each currency: the whole bill, or that of the chosen endpoints' apps. The cost of a
    /// thousand successes is this cost divided by the number of all successes, times 1,000.
    /// </summary>
    public required IReadOnlyList<CostFigures> Totals { get; init; }

    /// <summary>What belongs to no app of the account's list.</summary>
    public required IReadOnlyList<UnattributedFigures> Unattributed { get; init; }

    /// <summary>
    /// The environments of unattributed lines whose apps were not listed: a report that lists them can attribute more.
    /// </summary>
    public required IReadOnlyList<string> UnlistedEnvironments { get; init; }

    /// <summary>From when on the cost may still change: the start of the present day. Null: all its days have ended.</summary>
    public required DateTimeOffset? ProvisionalSince { get; init; }

    public required IReadOnlyList<MachineFigures> MachineTypes { get; init; }

    public required IReadOnlyList<DayFigures> Days { get; init; }

    /// <summary>Whether the figures by machine type and by day include apps that the report leaves out.</summary>
    public required bool IncludesOtherApps { get; init; }
}

/// <summary>A line of the bill that belongs to no listed app.</summary>
/// <param name="App">The name on the bill; null: none.</param>
/// <param name="Environment">The environment on the bill; null: none.</param>
/// <param name="Currency">The currency of both amounts.</param>
/// <param name="Cost">What was charged.</param>
/// <param name="CostBefore">What was charged in the period before; null: not known.</param>
/// <param name="ProbableApp">The id of the listed app that the name seems to mean; null: none, or it could be several.</param>
internal sealed record UnattributedFigures(
    string? App, string? Environment, string Currency, decimal Cost, decimal? CostBefore, string? ProbableApp)
{
    /// <summary>The difference as a share of the earlier cost.</summary>
    public decimal? Change => CostBefore > 0 ? (Cost / CostBefore) - 1 : null;
}

internal sealed record MachineFigures(string? MachineType, string Currency, decimal Cost, decimal? MachineSeconds);

internal sealed record DayFigures(DateOnly Day, string Currency, decimal Cost);
