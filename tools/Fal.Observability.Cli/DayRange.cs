using System.CommandLine;
using System.Globalization;

namespace Fal.Observability.Cli;

/// <summary>The options <c>--first</c> and <c>--last</c> of a verb: whole days in UTC.</summary>
internal sealed class DayRange
{
    private readonly Option<DateOnly?> _first;
    private readonly Option<DateOnly?> _last;
    private readonly int _daysBefore;

    /// <summary>Adds the options to a verb.</summary>
    /// <param name="verb">The verb.</param>
    /// <param name="daysBefore">How many days before the last day the first one is, unless it is named.</param>
    public DayRange(Command verb, int daysBefore)
    {
        _daysBefore = daysBefore;
        _first = Words.Option("--first", "DAY", $"The first day in UTC (default: {daysBefore} days before the last).", Words.Day);
        _last = Words.Option("--last", "DAY", "The last day in UTC (default: today, up to now).", Words.Day);
        verb.Add(_first);
        verb.Add(_last);
    }

    public static DateOnly Today => DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);

    /// <summary>The range of a command line.</summary>
    /// <returns>The first day, and the last one; null: until now.</returns>
    /// <exception cref="ArgumentException">There is no such range, or it is in the future.</exception>
    public (DateOnly First, DateOnly? Last) Of(ParseResult parsed)
    {
        DateOnly? last = parsed.GetValue(_last);
        DateOnly first = parsed.GetValue(_first) ?? (last ?? Today).AddDays(-_daysBefore);
        return last < first ? throw new ArgumentException("--last is before --first.")
            : first > Today ? throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture, $"{first:yyyy-MM-dd} is in the future: today is {Today:yyyy-MM-dd} in UTC."))
            : (first, last);
    }
}
