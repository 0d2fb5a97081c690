namespace Fal.Observability.Client;

/// <summary>Which apps to list. The default is every app of the account in its main environment.</summary>
/// <remarks>
/// A query is immutable and safe to share between threads; <c>query with { ... }</c> makes a changed copy. What cannot be valid is
/// refused where it is set.
/// </remarks>
/// <example>
/// <code>
/// FalAppList apps = await fal.Apps.ListAsync(new FalAppQuery("main", "staging") { Search = "image", WithEndpoints = true });
/// </code>
/// </example>
public sealed record FalAppQuery
{
    /// <summary>Asks for the apps of environments.</summary>
    /// <param name="environments">The names of the environments. With none of them, the main environment is meant.</param>
    /// <exception cref="ArgumentException">A name is blank or holds a comma, a blank or a control character.</exception>
    public FalAppQuery(params string[] environments)
    {
        Environments = environments;
    }

    /// <summary>
    /// The environments to list apps from, each once, in the order given. Default: empty, which is the main environment alone. The
    /// service has no call that names the environments of an account and answers for one at a time: each name is a call of its own.
    /// </summary>
    /// <exception cref="ArgumentException">A name is blank or holds a comma, a blank or a control character.</exception>
    public IReadOnlyList<string> Environments
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = WireTokenList.Create(value, "environment", nameof(Environments));
        }
    }

    /// <summary>
    /// A part of the name that the apps have in common, in any case of letters. Default: null, every app; an empty string is read as null.
    /// </summary>
    /// <exception cref="ArgumentException">The text is blank or holds a comma, a blank or a control character.</exception>
    public string? Search
    {
        get;
        init
        {
            if (!string.IsNullOrEmpty(value))
            {
                WireToken.ThrowIfInvalid(value, "search text", nameof(Search), "Leave it null for every app.");
            }

            field = string.IsNullOrEmpty(value) ? null : value;
        }
    }

    /// <summary>Whether <see cref="FalApp.Endpoints"/> is wanted: the ids of each app's routes. Default: false.</summary>
    public bool WithEndpoints { get; init; }

    /// <summary>The query on one line for a log.</summary>
    public override string ToString() => string.Join(" | ", new[]
    {
        Environments.Count == 0 ? FalEnvironments.Main : string.Join(", ", Environments),
        Search is null ? null : $"names with {Search}",
        WithEndpoints ? "with endpoints" : null,
    }.OfType<string>());
}
