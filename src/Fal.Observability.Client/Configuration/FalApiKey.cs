namespace Fal.Observability.Client;

/// <summary>What the shape of a key is, where it comes from, and how it is kept out of every text.</summary>
internal static class FalApiKey
{
    private const string Scheme = "Key ";
    private const string Mask = "[redacted]";

    /// <summary>A secret this short is no secret, and masking it would mangle ordinary text.</summary>
    private const int ShortestSecret = 6;

    /// <summary>
    /// What is wrong with a key, as the end of a sentence, or null. The text never quotes the key.
    /// </summary>
    public static string? Problem(string? key)
    {
        if (string.IsNullOrWhiteSpace(key))
        {
            return "is missing.";
        }

        string bare = Normalize(key);
        foreach (char c in bare)
        {
            if (c is < '!' or > '~' or '"' or '\'')
            {
                return "holds a blank, a quotation mark, a control character or a character outside ASCII: check what was copied with it, such as a line break.";
            }
        }

        int colon = bare.IndexOf(':', StringComparison.Ordinal);
        return colon <= 0 || colon == bare.Length - 1
            ? "does not have the form <key_id>:<key_secret>."
            : null;
    }

    /// <summary>The key without the blanks round it and without the scheme, which people copy with it from a header.</summary>
    public static string Normalize(string key)
    {
        ReadOnlySpan<char> bare = key.AsSpan().Trim(' ');
        return bare.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? bare[Scheme.Length..].TrimStart(' ').ToString()
            : bare.ToString();
    }

    /// <summary>The key that the environment holds, in the order of fal's own clients, or null.</summary>
    public static string? FromEnvironment()
    {
        if (Environment.GetEnvironmentVariable("FAL_KEY") is { } key && !string.IsNullOrWhiteSpace(key))
        {
            return key;
        }

        return Environment.GetEnvironmentVariable("FAL_KEY_ID") is { Length: > 0 } id
            && Environment.GetEnvironmentVariable("FAL_KEY_SECRET") is { Length: > 0 } secret
                ? $"{id}:{secret}"
                : null;
    }

    /// <summary>The file that the environment names, or null.</summary>
    public static string? FileFromEnvironment() => Environment.GetEnvironmentVariable("FAL_KEY_FILE") is { Length: > 0 } file ? file : null;

    /// <summary>A text from outside with every occurrence of the key, or of its secret part, masked.</summary>
    public static string Scrub(string text, string? key)
    {
        if (string.IsNullOrEmpty(key) || text.Length == 0)
        {
            return text;
        }

        string bare = Normalize(key);
        text = Replace(text, bare);
        text = Replace(text, Uri.EscapeDataString(bare));
        string secret = bare[(bare.IndexOf(':', StringComparison.Ordinal) + 1)..];
        text = Replace(text, secret);
        return Replace(text, Uri.EscapeDataString(secret));

        static string Replace(string text, string secret) =>
            secret.Length < ShortestSecret ? text : text.Replace(secret, Mask, StringComparison.OrdinalIgnoreCase);
    }
}
