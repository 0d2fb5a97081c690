using System.Collections.ObjectModel;

namespace Fal.Observability.Client;

/// <summary>
/// The names in a query, each once, in the given order. Unlike the lists of .NET, two lists are equal if their names are. The
/// compiler-generated comparison of two queries therefore compares their lists.
/// </summary>
internal sealed class WireTokenList : ReadOnlyCollection<string>, IEquatable<WireTokenList>
{
    private WireTokenList(string[] names)
        : base(names)
    {
    }

    public static new WireTokenList Empty { get; } = new([]);

    /// <summary>Copies names, and refuses those that the service would misread.</summary>
    /// <param name="names">The names.</param>
    /// <param name="what">What one of them names, as in "endpoint id".</param>
    /// <param name="parameterName">The property that they are set to.</param>
    /// <exception cref="ArgumentException">A name is null or blank, or contains a comma, white space or a control character.</exception>
    public static WireTokenList Create(IEnumerable<string> names, string what, string parameterName)
    {
        string[] distinct = [.. names.Distinct(StringComparer.Ordinal)];
        foreach (string name in distinct)
        {
            WireToken.ThrowIfInvalid(name, what, parameterName);
        }

        return new WireTokenList(distinct);
    }

    public bool Equals(WireTokenList? other) => other is not null && Items.SequenceEqual(other.Items, StringComparer.Ordinal);

    public override bool Equals(object? obj) => Equals(obj as WireTokenList);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (string name in Items)
        {
            hash.Add(name, StringComparer.Ordinal);
        }

        return hash.ToHashCode();
    }
}
