using System.Text;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// One label in the buffer of a <see cref="PrometheusTextReader"/>, valid until the next <see cref="PrometheusTextReader.Read"/>.
/// </summary>
public readonly ref struct PrometheusLabel
{
    internal PrometheusLabel(ReadOnlySpan<byte> name, bool nameIsEscaped, ReadOnlySpan<byte> value, bool valueIsEscaped)
    {
        Name = name;
        NameIsEscaped = nameIsEscaped;
        Value = value;
        ValueIsEscaped = valueIsEscaped;
    }

    /// <summary>The name in UTF-8, without quotes. Still escaped if <see cref="NameIsEscaped"/>.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>Whether <see cref="Name"/> contains a backslash. Only a quoted name can.</summary>
    public bool NameIsEscaped { get; }

    /// <summary>The value in UTF-8, without quotes. Still escaped if <see cref="ValueIsEscaped"/>.</summary>
    public ReadOnlySpan<byte> Value { get; }

    /// <summary>Whether <see cref="Value"/> contains a backslash. <see cref="CopyValue"/> can then copy different bytes.</summary>
    public bool ValueIsEscaped { get; }

    /// <summary>Copies the unescaped name as UTF-8.</summary>
    /// <param name="destination">A buffer that is at least as long as <see cref="Name"/>.</param>
    /// <returns>The number of bytes written.</returns>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short.</exception>
    public int CopyName(Span<byte> destination) => PrometheusEscaping.Unescape(Name, destination, quotes: true);

    /// <summary>Copies the unescaped value as UTF-8.</summary>
    /// <param name="destination">A buffer that is at least as long as <see cref="Value"/>.</param>
    /// <returns>The number of bytes written.</returns>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short.</exception>
    public int CopyValue(Span<byte> destination) => PrometheusEscaping.Unescape(Value, destination, quotes: true);

    /// <summary>Returns the unescaped name as a new string.</summary>
    /// <returns>The name.</returns>
    public string GetName() => NameIsEscaped ? PrometheusEscaping.UnescapeToString(Name, quotes: true) : Encoding.UTF8.GetString(Name);

    /// <summary>Returns the unescaped value as a new string.</summary>
    /// <returns>The value.</returns>
    public string GetValue() => ValueIsEscaped ? PrometheusEscaping.UnescapeToString(Value, quotes: true) : Encoding.UTF8.GetString(Value);
}
