using System.CommandLine;
using Fal.Observability.Client;

namespace Fal.Observability.Cli;

/// <summary>The options that say which endpoints a verb reads: those that are named, or every app of the account.</summary>
internal sealed class EndpointChoice
{
    private readonly Option<string[]?> _endpoints = Words.Option<string[]?>(
        "--endpoints", "a/b,c/d", "Which endpoints (default: every app that the account owns).", Words.List);

    private readonly Option<string[]?> _environments = Words.Environments();

    public EndpointChoice(Command verb)
    {
        verb.Add(_endpoints);
        verb.Add(_environments);
        verb.Validators.Add(result =>
        {
            if (result.GetResult(_endpoints) is not null && result.GetResult(_environments) is not null)
            {
                result.AddError("--endpoints and --environments cannot be combined: an id stands for the app in every environment.");
            }
        });
    }

    /// <summary>The id of the app that an endpoint belongs to: a route has its app's id in front.</summary>
    public static string AppOf(string endpointId) => string.Join('/', endpointId.Split('/').Take(2));

    /// <summary>The ids of the endpoints, each once. There may be none.</summary>
    /// <exception cref="ArgumentException">An id cannot be valid.</exception>
    /// <exception cref="FalObservabilityException">The apps cannot be listed.</exception>
    public async Task<IReadOnlyList<string>> OfAsync(ParseResult parsed, Account account, CancellationToken cancellationToken) =>
        Named(parsed) ?? OfAll(
            await ListAsync(parsed, account, cancellationToken),
            (id, reason) => Console.Error.WriteLine(Screen.OneLine($"left out: {ShownText.Of(id)}: {reason}")));

    /// <summary>The ids that the command line names, each once; null: it names none.</summary>
    /// <exception cref="ArgumentException">An id cannot be valid.</exception>
    public IReadOnlyList<string>? Named(ParseResult parsed) =>
        // Without the option this is no null but an array without elements. The query refuses an id that cannot be valid.
        parsed.GetValue(_endpoints) is { Length: > 0 } named ? new AnalyticsQuery(named).EndpointIds : null;

    /// <summary>The apps of the environments that the command line names, or of the main one.</summary>
    /// <exception cref="FalObservabilityException">The apps cannot be listed.</exception>
    public Task<FalAppList> ListAsync(ParseResult parsed, Account account, CancellationToken cancellationToken) =>
        account.Client.Apps.ListAsync(new FalAppQuery(parsed.GetValue(_environments) ?? []), cancellationToken);

    /// <summary>The ids of all apps of a list, each once.</summary>
    /// <param name="list">The apps.</param>
    /// <param name="leftOut">Told of each id that the service cannot be asked about, and why.</param>
    public static IReadOnlyList<string> OfAll(FalAppList list, Action<string, string> leftOut)
    {
        List<string> ids = [];
        foreach (string id in list.Apps.Select(app => app.EndpointId).Distinct(StringComparer.Ordinal))
        {
            try
            {
                ids.AddRange(new AnalyticsQuery(id).EndpointIds);
            }
            catch (ArgumentException e)
            {
                // One such app must not hide the others.
                leftOut(id, $"{Failure.CauseOf(e)}.");
            }
        }

        return ids;
    }
}
