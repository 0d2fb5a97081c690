using System.Text.Json;

namespace Fal.Observability.Client;

/// <summary>
/// Reads the members of one JSON object of an answer. A known member must not occur twice, because nothing says which one is valid. Other
/// members are ignored.
/// </summary>
internal struct AnswerMembers
{
    private readonly string _what;
    private readonly string[] _known;
    private uint _seen;

    /// <param name="reader">The reader, at the first token of the object.</param>
    /// <param name="what">What the object is, at the beginning of a sentence.</param>
    /// <param name="known">The names of the members that are read, at most 32.</param>
    /// <exception cref="JsonException">The value is not an object.</exception>
    public AnswerMembers(ref Utf8JsonReader reader, string what, string[] known)
    {
        AnswerJson.ThrowIfNotObject(ref reader, what);
        _what = what;
        _known = known;
    }

    /// <summary>Goes on to the value of the next known member.</summary>
    /// <returns>The name of the member; null at the end of the object.</returns>
    /// <exception cref="JsonException">The member has come before.</exception>
    public string? Next(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int place = 0;
            while (place < _known.Length && !reader.ValueTextEquals(_known[place]))
            {
                place++;
            }

            reader.Read();
            if (place == _known.Length)
            {
                // In a converter, the whole value is always available. Skip() nevertheless throws for a reader over a part of a document.
                reader.TrySkip();
                continue;
            }

            if ((_seen >> place & 1) != 0)
            {
                throw AnswerJson.Twice(_what, _known[place]);
            }

            _seen |= 1u << place;
            return _known[place];
        }

        return null;
    }
}
