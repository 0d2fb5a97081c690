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

    /// <summary>The ids of the endpoints, each once. There may be none.</summary>
    /// <exception cref="ArgumentException">An id cannot be valid.</exception>
    /// <exception cref="FalObservabilityException">The apps cannot be listed.</exception>
    public async Task<IReadOnlyList<string>> OfAsync(ParseResult parsed, Account account, CancellationToken cancellationToken)
    {
        // Without the option this is no null but an array without elements.
        if (parsed.GetValue(_endpoints) is { Length: > 0 } named)
        {
            // The query refuses an id that cannot be valid.
            return new AnalyticsQuery(named).EndpointIds;
        }

        FalAppList list = await account.Client.Apps.ListAsync(new FalAppQuery(parsed.GetValue(_environments) ?? []), cancellationToken);
        List<string> ids = [];
        foreach (string id in list.Apps.Select(app => app.EndpointId).Distinct(StringComparer.Ordinal))
        {
            try
            {
                ids.AddRange(new AnalyticsQuery(id).EndpointIds);
            }
            catch (ArgumentException e)
            {
                // One app that the service cannot be asked about must not hide the others.
                await Console.Error.WriteLineAsync(Screen.OneLine($"left out: {ShownText.Of(id)}: {Failure.CauseOf(e)}."));
            }
        }

        return ids;
    }
}
