using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// The labels of a sample: an immutable list of distinct names with their values, in the order of the input.
/// </summary>
/// <remarks>
/// <para>Two sets are equal if they contain the same names with the same values, in any order.</para>
/// <para>
/// A set may be written as a collection expression: <c>LabelSet labels = [new("application", "my/app"), new("le", "+Inf")];</c>.
/// The default value is the empty set. Thread-safe.
/// </para>
/// </remarks>
[CollectionBuilder(typeof(LabelSet), nameof(Create))]
public readonly struct LabelSet : IReadOnlyCollection<KeyValuePair<string, string>>, IEquatable<LabelSet>
{
    /// <summary>The number of labels up to which a linear search is faster than a table.</summary>
    private const int Few = 16;

    // Samples with the same label names usually share one array of names. Many samples share one array of values. Each of them uses the
    // part that begins at _start.
    private readonly string[]? _names;
    private readonly string[]? _values;
    private readonly int _start;

    internal LabelSet(string[] names, string[] values, int start = 0)
    {
        _names = names;
        _values = values;
        _start = start;
    }

    /// <summary>The set without labels.</summary>
    public static LabelSet Empty => default;

    /// <summary>The number of labels.</summary>
    public int Count => _names?.Length ?? 0;

    internal string[] Names => _names ?? [];

    internal ReadOnlySpan<string> Values => _values.AsSpan(_start, Count);

    /// <summary>The array that contains <see cref="Values"/>, starting at <see cref="Start"/>.</summary>
    internal string[] ValueArray => _values ?? [];

    internal int Start => _start;

    /// <summary>The value of a label.</summary>
    /// <param name="name">The name of the label.</param>
    /// <value>The value, or null if there is no such label.</value>
    public string? this[string name] => TryGetValue(name, out string? value) ? value : null;

    /// <summary>Creates a set.</summary>
    /// <param name="labels">Names and values, in the order to keep.</param>
    /// <returns>The set.</returns>
    /// <exception cref="ArgumentException">A name is null, empty or duplicate, or a value is null.</exception>
    public static LabelSet Create(ReadOnlySpan<KeyValuePair<string, string>> labels)
    {
        if (labels.IsEmpty)
        {
            return default;
        }

        var names = new string[labels.Length];
        var values = new string[labels.Length];
        HashSet<string>? taken = labels.Length > Few ? new HashSet<string>(StringComparer.Ordinal) : null;
        for (int i = 0; i < labels.Length; i++)
        {
            (string name, string value) = labels[i];
            if (string.IsNullOrEmpty(name))
            {
                throw new ArgumentException("A label name must not be null or empty.", nameof(labels));
            }

            if (value is null)
            {
                throw new ArgumentException($"The value of the label '{name}' is null. Use \"\" for an empty value.", nameof(labels));
            }

            if (taken is null ? Array.IndexOf(names, name, 0, i) >= 0 : !taken.Add(name))
            {
                throw new ArgumentException($"Duplicate label '{name}'. Give each label name once.", nameof(labels));
            }

            names[i] = name;
            values[i] = value;
        }

        return new LabelSet(names, values);
    }

    /// <summary>Creates a set, such as from a dictionary.</summary>
    /// <param name="labels">Names and values, in the order to keep.</param>
    /// <returns>The set.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="labels"/> is null.</exception>
    /// <exception cref="ArgumentException">A name is null, empty or duplicate, or a value is null.</exception>
    public static LabelSet Create(IEnumerable<KeyValuePair<string, string>> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        return Create(labels.ToArray());
    }

    /// <summary>Whether two sets hold the same labels.</summary>
    /// <param name="left">One set.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if they are equal.</returns>
    public static bool operator ==(LabelSet left, LabelSet right) => left.Equals(right);

    /// <summary>Whether two sets differ.</summary>
    /// <param name="left">One set.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if they are not equal.</returns>
    public static bool operator !=(LabelSet left, LabelSet right) => !left.Equals(right);

    /// <summary>Looks a label up.</summary>
    /// <param name="name">The name of the label.</param>
    /// <param name="value">Its value, or null if there is no such label.</param>
    /// <returns>Whether there is such a label.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public bool TryGetValue(string name, [NotNullWhen(true)] out string? value)
    {
        ArgumentNullException.ThrowIfNull(name);
        int index = _names is null ? -1 : Array.IndexOf(_names, name);
        value = index < 0 ? null : Values[index];
        return index >= 0;
    }

    /// <summary>Returns a copy of this set with an added label, or with another value for an existing label.</summary>
    /// <param name="name">The name of the label. A new label is added at the end.</param>
    /// <param name="value">Its value.</param>
    /// <returns>The new set.</returns>
    /// <exception cref="ArgumentException"><paramref name="name"/> is null or empty.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="value"/> is null.</exception>
    public LabelSet With(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value);
        int index = Array.IndexOf(Names, name);
        if (index < 0)
        {
            return new LabelSet([.. Names, name], [.. Values, value]);
        }

        string[] values = [.. Values];
        values[index] = value;
        return new LabelSet(_names!, values);
    }

    /// <summary>Returns a copy of this set without a label.</summary>
    /// <param name="name">The name of the label.</param>
    /// <returns>The smaller set, or this set if it has no such label.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public LabelSet Without(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        int index = _names is null ? -1 : Array.IndexOf(_names, name);
        if (index < 0)
        {
            return this;
        }

        return Count == 1 ? default : new LabelSet(Remove(_names, index), Remove(Values, index));

        static string[] Remove(ReadOnlySpan<string> from, int index) => [.. from[..index], .. from[(index + 1)..]];
    }

    /// <inheritdoc/>
    public bool Equals(LabelSet other)
    {
        if (Count != other.Count)
        {
            return false;
        }

        string[] names = Names;
        string[] otherNames = other.Names;
        if (ReferenceEquals(names, otherNames) || names.AsSpan().SequenceEqual(otherNames))
        {
            return Values.SequenceEqual(other.Values);
        }

        return names.Length <= Few ? HasInAnyOrder(other) : HasInAnyOrder(other.ToDictionary(StringComparer.Ordinal));
    }

    private bool HasInAnyOrder(LabelSet other)
    {
        for (int i = 0; i < Count; i++)
        {
            int index = Array.IndexOf(other._names!, _names![i]);
            if (index < 0 || Values[i] != other.Values[index])
            {
                return false;
            }
        }

        return true;
    }

    private bool HasInAnyOrder(Dictionary<string, string> other)
    {
        for (int i = 0; i < Count; i++)
        {
            if (!other.TryGetValue(_names![i], out string? value) || value != Values[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is LabelSet other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        // Add the hash codes of the labels, so that their order does not matter.
        int hash = 0;
        for (int i = 0; i < Count; i++)
        {
            hash += HashCode.Combine(_names![i], Values[i]);
        }

        return hash;
    }

    /// <summary>Returns the set as an exposition shows it: <c>{application="my/app",le="1.0"}</c>.</summary>
    /// <returns>The text; <c>{}</c> for the empty set.</returns>
    public override string ToString()
    {
        var builder = new StringBuilder();
        AppendTo(builder);
        return builder.ToString();
    }

    internal void AppendTo(StringBuilder builder)
    {
        builder.Append('{');
        for (int i = 0; i < Count; i++)
        {
            if (i > 0)
            {
                builder.Append(',');
            }

            if (PrometheusName.IsClassicLabelName(_names![i]))
            {
                builder.Append(_names[i]);
            }
            else
            {
                PrometheusEscaping.AppendQuoted(builder, _names[i]);
            }

            builder.Append('=');
            PrometheusEscaping.AppendQuoted(builder, Values[i]);
        }

        builder.Append('}');
    }

    /// <summary>Enumerates the labels in their order.</summary>
    /// <returns>The enumerator.</returns>
    public Enumerator GetEnumerator() => new(this);

    IEnumerator<KeyValuePair<string, string>> IEnumerable<KeyValuePair<string, string>>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Enumerates the labels of a set, without allocating.</summary>
    public struct Enumerator : IEnumerator<KeyValuePair<string, string>>
    {
        private readonly LabelSet _labels;
        private int _index;

        internal Enumerator(LabelSet labels)
        {
            _labels = labels;
            _index = -1;
        }

        /// <summary>The current label.</summary>
        /// <exception cref="InvalidOperationException">The enumeration has not begun, or it has ended.</exception>
        public readonly KeyValuePair<string, string> Current => (uint)_index < (uint)_labels.Count
            ? new(_labels._names![_index], _labels.Values[_index])
            : throw new InvalidOperationException("There is no current label. Call MoveNext, and read Current only if it returned true.");

        readonly object IEnumerator.Current => Current;

        /// <inheritdoc/>
        public bool MoveNext() => ++_index < _labels.Count;

        /// <inheritdoc/>
        public void Reset() => _index = -1;

        /// <inheritdoc/>
        public readonly void Dispose()
        {
        }
    }
}
