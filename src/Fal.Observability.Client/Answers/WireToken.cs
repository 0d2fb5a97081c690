using System.Globalization;
using System.Text;

namespace Fal.Observability.Client;

/// <summary>Which characters a name may contain that the client sends as the value of a parameter.</summary>
internal static class WireToken
{
    /// <summary>
    /// Refuses a name that the service would misread. It splits a value at commas. No name that it knows contains white space or a control
    /// character. An unpaired surrogate would be sent as another character.
    /// </summary>
    /// <param name="value">The name.</param>
    /// <param name="what">What it names, as in "endpoint id".</param>
    /// <param name="parameterName">The parameter or property that it was given as.</param>
    /// <param name="advice">What to do instead, as a sentence.</param>
    /// <exception cref="ArgumentException">The name is null or blank, or contains a comma, white space or a control character.</exception>
    public static void ThrowIfInvalid(string? value, string what, string parameterName, string advice = "")
    {
        if (ProblemOf(value) is { } problem)
        {
            throw new ArgumentException($"The {what} {problem} {advice}".TrimEnd(), parameterName);
        }
    }

    /// <summary>Why the service would misread a name, as the end of a sentence; null if it would not.</summary>
    public static string? ProblemOf(string? value)
    {
        if (string.IsNullOrWhiteSpace(value))
        {
            return "is null, empty or blank.";
        }

        foreach (Rune rune in value.EnumerateRunes())
        {
            if (rune.Value == ',')
            {
                return $"\"{value}\" contains a comma, at which the service would split it. Pass each one separately.";
            }

            if (Rune.IsWhiteSpace(rune) || Rune.IsControl(rune) || rune == Rune.ReplacementChar)
            {
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"contains the character U+{rune.Value:X4}, which is not allowed there. Remove it.");
            }
        }

        return null;
    }
}
