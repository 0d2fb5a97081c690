namespace Fal.Observability.Client;

/// <summary>Which apps to list. The default is every app of the account in its main environment.</summary>
/// <remarks>
/// A query is immutable and safe to share between threads; <c>query with { ... }</c> makes a changed copy. Setting an invalid value throws.
/// </remarks>
/// <example>
/// <code>
/// FalAppList apps = await fal.Apps.ListAsync(new FalAppQuery("main", "staging") { Search = "image", WithEndpoints = true });
/// </code>
/// </example>
public sealed record FalAppQuery
{
    /// <summary>Creates a query for the apps of some environments.</summary>
    /// <param name="environments">The names of the environments. If there are none, the main environment.</param>
    /// <exception cref="ArgumentException">A name is blank or contains a comma, white space or a control character.</exception>
    public FalAppQuery(params string[] environments)
    {
        Environments = environments;
    }

    /// <summary>
    /// The environments to list apps from, each once, in the given order. Default: empty, which is only the main environment. The service
    /// has no call that lists the environments of an account, and each environment takes one call.
    /// </summary>
    /// <exception cref="ArgumentException">A name is blank or contains a comma, white space or a control character.</exception>
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
    /// A part of the name of the apps, case-insensitive. Default: null, which is every app. An empty string is read as null.
    /// </summary>
    /// <exception cref="ArgumentException">The text is blank or contains a comma, white space or a control character.</exception>
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

    /// <summary>Whether to request <see cref="FalApp.Endpoints"/>, the ids of each app's routes. Default: false.</summary>
    public bool WithEndpoints { get; init; }

    /// <summary>The query on one line for a log.</summary>
    public override string ToString() => string.Join(" | ", new[]
    {
        Environments.Count == 0 ? FalEnvironments.Main : string.Join(", ", Environments),
        Search is null ? null : $"names with {Search}",
        WithEndpoints ? "with endpoints" : null,
    }.OfType<string>());
}
