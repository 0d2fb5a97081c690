using System.Globalization;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client.Conformance;

/// <summary>Compares the result with that of the reference parser.</summary>
internal static class Comparison
{
    /// <returns>The first difference, or null.</returns>
    public static string? Samples(IReadOnlyList<PrometheusSample> actual, IReadOnlyList<ExpectedSample> expected)
    {
        if (actual.Count != expected.Count)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{actual.Count} samples instead of {expected.Count}");
        }

        for (int i = 0; i < actual.Count; i++)
        {
            if (Sample(actual[i], expected[i]) is { } difference)
            {
                return string.Create(CultureInfo.InvariantCulture, $"sample {i + 1} ({actual[i]}): {difference}");
            }
        }

        return null;
    }

    public static string? Families(PrometheusExposition actual, IReadOnlyList<ExpectedMetadata> expected)
    {
        foreach (ExpectedMetadata metadata in expected)
        {
            if (actual[metadata.Name] is not { } family)
            {
                return $"no family '{metadata.Name}'";
            }

            string? difference = metadata.Kind switch
            {
                "FAMILY" => Type(family, metadata.Type) ?? Differ("unit", family.Unit ?? "", metadata.Unit ?? "")
                    ?? Differ("help", family.Help ?? "", metadata.Help ?? ""),
                "TYPE" => Type(family, metadata.Text),
                "UNIT" => Differ("unit", family.Unit, metadata.Text),
                "HELP" => Differ("help", family.Help, metadata.Text),
                _ => null,
            };
            if (difference is not null)
            {
                return $"family '{metadata.Name}': {difference}";
            }
        }

        return null;
    }

    private static string? Type(MetricFamily family, string? expected) =>
        string.Equals(family.Type.ToString(), expected, StringComparison.OrdinalIgnoreCase)
            ? null
            : $"type '{family.Type}' instead of '{expected}'";

    private static string? Differ(string what, string? actual, string? expected) =>
        actual == expected ? null : $"{what} '{actual}' instead of '{expected}'";

    private static string? Sample(PrometheusSample actual, ExpectedSample expected)
    {
        if (actual.Name != expected.Name)
        {
            return $"name instead of {expected.Name}";
        }

        if (!actual.Value.Equals(expected.Value))
        {
            return string.Create(CultureInfo.InvariantCulture, $"value instead of {expected.Value:R}");
        }

        if (actual.TimestampMilliseconds != expected.TimestampMilliseconds)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"timestamp {actual.TimestampMilliseconds} instead of {expected.TimestampMilliseconds}"
            );
        }

        if (Labels(actual.Labels, expected.Labels) is { } difference)
        {
            return difference;
        }

        if (actual.Exemplar is null != (expected.Exemplars.Count == 0))
        {
            return "exemplar missing or unexpected";
        }

        return actual.Exemplar is { } exemplar
            ? Labels(exemplar.Labels, expected.Exemplars[0].Labels)
                ?? (exemplar.Value.Equals(expected.Exemplars[0].Value) ? null : "exemplar's value")
            : null;
    }

    private static string? Labels(LabelSet actual, Dictionary<string, string> expected)
    {
        if (actual.Count != expected.Count)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{actual.Count} labels instead of {expected.Count}");
        }

        foreach ((string name, string value) in actual)
        {
            if (!expected.TryGetValue(name, out string? wanted) || (value != wanted && !AreSameBound(name, value, wanted)))
            {
                return $"label {name} instead of '{wanted}'";
            }
        }

        return null;
    }

    /// <summary>Compares bounds as numbers. The reference parser normalises them, so 1 and 1.0 are equal.</summary>
    private static bool AreSameBound(string name, string value, string wanted) => name is "le" or "quantile"
        && double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double left)
        && double.TryParse(wanted, NumberStyles.Float, CultureInfo.InvariantCulture, out double right)
        && left.Equals(right);
}
