using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>How an option is written in a configuration.</summary>
internal enum OptionKind
{
    Text,
    Texts,
    Address,
    Switch,
    Number,
    Time,

    /// <summary>One of the names in <see cref="OptionRow.Allowed"/>.</summary>
    Choice,

    /// <summary>Names of metrics, separated by commas.</summary>
    Metrics,

    /// <summary>The option can only be set in code.</summary>
    InCode,
}

/// <summary>
/// One option in a table of options. The validator, the settings that a section may hold, the default of the property, the tables in
/// docs/options.md and the JSON schema for appsettings.json all come from it.
/// </summary>
/// <param name="name">The name of the property.</param>
/// <param name="kind">How it is written.</param>
/// <param name="defaultText">The default, as the documentation writes it.</param>
/// <param name="allowed">What it may be, as the documentation writes it.</param>
internal class OptionRow(string name, OptionKind kind, string defaultText, string allowed)
{
    public string Name => name;

    public OptionKind Kind => kind;

    public string DefaultText => defaultText;

    public string Allowed => allowed;
}

/// <summary>An option that has a range.</summary>
/// <typeparam name="T">The type of the property: a number, or <see cref="TimeSpan"/>.</typeparam>
/// <param name="name">The name of the property.</param>
/// <param name="defaultValue">The default.</param>
/// <param name="least">The least value.</param>
/// <param name="most">The greatest value.</param>
/// <param name="unit">What the number counts, such as <c>bytes</c>; empty if the name says it.</param>
/// <param name="also">A rule that involves another option, as the documentation writes it. The validator implements this rule by
/// hand.</param>
internal sealed class OptionRange<T>(string name, T defaultValue, T least, T most, string unit = "", string also = "")
    : OptionRow(name, typeof(T) == typeof(TimeSpan) ? OptionKind.Time : OptionKind.Number, "", also)
    where T : struct, IComparable<T>
{
    public T Default => defaultValue;

    public T Least => least;

    public T Most => most;

    public string Unit => unit;

    /// <summary>Adds a message if a value is outside the range.</summary>
    public void Check(T value, List<string> failures)
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        {
            string counted = Kind == OptionKind.Time ? " (days.hours:minutes:seconds)" : unit.Length > 0 ? " " + unit : "";
            failures.Add(string.Create(CultureInfo.InvariantCulture, $"{Name} is {value}; it must be from {least} to {most}{counted}."));
        }
    }
}
