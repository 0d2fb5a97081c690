using System.Globalization;
using System.Text;

namespace Fal.Observability.Client;

/// <summary>What a name can hold that goes to the service as the value of a parameter.</summary>
internal static class WireToken
{
    /// <summary>
    /// Refuses a name that the service would read as another: it splits a value at a comma; nothing it knows by name has a blank or a
    /// control character in it; and an unpaired surrogate would go out as another character than the one given.
    /// </summary>
    /// <param name="value">The name.</param>
    /// <param name="what">What it names, as in "endpoint id".</param>
    /// <param name="parameterName">The parameter or property that it was given as.</param>
    /// <param name="advice">What to do instead, as a sentence.</param>
    /// <exception cref="ArgumentException">The name is null or blank, or holds a comma, a blank or a control character.</exception>
    public static void ThrowIfInvalid(string? value, string what, string parameterName, string advice = "")
    {
        if (string.IsNullOrWhiteSpace(value))
        {
            throw new ArgumentException($"The {what} is null, empty or blank. {advice}".TrimEnd(), parameterName);
        }

        foreach (Rune rune in value.EnumerateRunes())
        {
            if (rune.Value == ',')
            {
                throw new ArgumentException(
                    $"The {what} \"{value}\" contains a comma, at which the service would split it. Pass each one separately.",
                    parameterName);
            }

            if (Rune.IsWhiteSpace(rune) || Rune.IsControl(rune) || rune == Rune.ReplacementChar)
            {
                throw new ArgumentException(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"The {what} contains the character U+{rune.Value:X4}, which is not allowed there. Remove it. {advice}").TrimEnd(),
                    parameterName);
            }
        }
    }
}
