namespace Fal.Observability.Cli.Export;

/// <summary>What a column holds.</summary>
internal enum ColumnKind
{
    Text,
    Instant,
    Flag,
    Count,
    Number,
    Amount,
}

/// <summary>A column of a table, the same in every store.</summary>
/// <param name="Name">The name; durations end in <c>_seconds</c>.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="IsRequired">Whether every row has a value.</param>
internal record WarehouseColumn(string Name, ColumnKind Kind, bool IsRequired)
{
    /// <summary>How many decimals an amount has. The client refuses amounts with more than 18 digits before the point.</summary>
    public const int AmountScale = 20;

    /// <summary>How many digits an amount has.</summary>
    public const int AmountPrecision = 38;
}

/// <summary>A column, and where its values come from.</summary>
/// <param name="Name">The name.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="IsRequired">Whether every row has a value.</param>
/// <param name="Value">The value of a row: a string, a UTC <see cref="DateTime"/>, a bool, a long, a double, a decimal, or null.</param>
internal sealed record WarehouseColumn<T>(string Name, ColumnKind Kind, bool IsRequired, Func<WarehouseItem<T>, object?> Value)
    : WarehouseColumn(Name, Kind, IsRequired);
