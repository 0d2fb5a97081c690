using System.Collections.ObjectModel;
using System.Text.Json;

namespace Fal.Observability.Client;

/// <summary>
/// One JSON object of an answer with its members by name. Each known member is taken out once. The rest is unknown to this version.
/// </summary>
internal sealed class AnswerObject
{
    private readonly string _what;
    private readonly Dictionary<string, JsonElement> _members = new(StringComparer.Ordinal);
    private readonly HashSet<string> _twice = new(StringComparer.Ordinal);

    /// <param name="reader">The reader, at the first token of the object. Afterwards it is at the last.</param>
    /// <param name="what">What the object is, at the beginning of a sentence.</param>
    /// <exception cref="JsonException">The value is not an object.</exception>
    public AnswerObject(ref Utf8JsonReader reader, string what)
    {
        AnswerJson.ThrowIfNotObject(ref reader, what);
        _what = what;
        foreach (JsonProperty member in JsonElement.ParseValue(ref reader).EnumerateObject())
        {
            if (!_members.TryAdd(member.Name, member.Value))
            {
                _twice.Add(member.Name);
                _members[member.Name] = member.Value;
            }
        }
    }

    /// <summary>The members that nobody has taken. If one of them occurs twice, the later one is used.</summary>
    public IReadOnlyDictionary<string, JsonElement> Others =>
        _members.Count == 0 ? ReadOnlyDictionary<string, JsonElement>.Empty : new ReadOnlyDictionary<string, JsonElement>(_members);

    /// <summary>Takes a member; null if it is missing or the JSON value null.</summary>
    /// <exception cref="JsonException">The member occurs twice.</exception>
    public JsonElement? Take(string name) =>
        _twice.Contains(name) ? throw AnswerJson.Twice(_what, name)
        : _members.Remove(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value
        : null;

    /// <summary>A string that identifies the object; null if it is missing.</summary>
    /// <exception cref="JsonException">
    /// The value is of another kind, or is not valid text: after the repair, two different values could look the same.
    /// </exception>
    public string? Text(string name)
    {
        if (Take(name) is not { } value)
        {
            return null;
        }

        string text = value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw Unusable(name, $"must be a string, but the JSON value is of kind {value.ValueKind}.");
        return text.Contains(FalJsonText.Replacement, StringComparison.Ordinal)
            ? throw Unusable(name, $"is \"{FalErrorReader.Quoted(text)}\", which is not valid text: after repair, two different names " +
                "could look the same.")
            : text;
    }

    /// <summary>A string without which the object means nothing.</summary>
    /// <exception cref="JsonException">The text is missing, blank or of another kind.</exception>
    public string RequiredText(string name) => Text(name) is { } text && !string.IsNullOrWhiteSpace(text)
        ? text
        : throw Unusable(name, "is missing or blank, and the rest of the object is meaningless without it.");

    /// <summary>A switch; false if it is missing.</summary>
    /// <exception cref="JsonException">The value is of another kind.</exception>
    public bool Flag(string name) => Take(name) is { } value && value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Unusable(name, $"must be true or false, but the JSON value is of kind {value.ValueKind}."),
    };

    /// <summary>A string; null if it is missing or of another kind.</summary>
    public string? TextIfAny(string name) =>
        Take(name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    /// <summary>A number of zero or more; null if it is missing or something else.</summary>
    public double? NumberIfAny(string name) =>
        Take(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out double number) && number >= 0 ? number : null;

    /// <summary>A number of seconds as a time; null if it is missing or something else.</summary>
    public TimeSpan? SecondsIfAny(string name) => NumberIfAny(name) is { } seconds ? AnswerJson.ToTimeSpan(seconds) : null;

    /// <summary>A whole number of zero or more, such as 2 or 2.0; null if it is missing or something else.</summary>
    public int? WholeNumberIfAny(string name) =>
        NumberIfAny(name) is <= int.MaxValue and { } number && Math.Truncate(number) == number ? (int)number : null;

    /// <summary>The strings of a list; null if it is missing or something else. An element that is not a string is ignored.</summary>
    public IReadOnlyList<string>? TextsIfAny(string name) => Take(name) is { ValueKind: JsonValueKind.Array } list
        ? [.. list.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!)]
        : null;

    /// <summary>An instant; null if it is missing or something else. A time without an offset is UTC.</summary>
    public DateTimeOffset? InstantIfAny(string name) => Take(name) is { } value ? AnswerJson.StartOf(value)?.Instant : null;

    /// <summary>An instant without which the object means nothing. A time without an offset is UTC.</summary>
    /// <exception cref="JsonException">The instant is missing or cannot be read.</exception>
    public DateTimeOffset RequiredInstant(string name)
    {
        JsonElement? value = Take(name);
        return value is null ? throw Unusable(name, "is missing, and the rest of the object is meaningless without it.")
            : AnswerJson.StartOf(value.Value)?.Instant
                ?? throw Unusable(name, $"is {Shown(value.Value)}, which is not an ISO 8601 time such as 2026-01-15T12:00:00Z.");
    }

    /// <summary>A number that was measured or charged; null if it is missing.</summary>
    /// <exception cref="JsonException">The value is not a number, or is out of range.</exception>
    public T? Amount<T>(string name, Func<JsonElement, T?> read)
        where T : struct
    {
        if (Take(name) is not { } value)
        {
            return null;
        }

        return value.ValueKind != JsonValueKind.Number
            ? throw Unusable(name, $"must be a number, but the JSON value is of kind {value.ValueKind}.")
            : read(value) ?? throw Unusable(name, $"is {Shown(value)}, which is out of range.");
    }

    private JsonException Unusable(string name, string problem) => new($"{_what}: '{name}' {problem}", $"$.{name}", null, null);

    private static string Shown(JsonElement value) => FalErrorReader.Quoted(value.GetRawText());
}
