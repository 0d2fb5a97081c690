using System.Diagnostics.CodeAnalysis;

namespace Fal.Observability.Client.Testing;

/// <summary>
/// All simulated traffic. What is drawn is a pure function of seed, endpoint and minute: any range can be computed, in any order and
/// any cutting, and always comes out the same. What a test scripts is as the script stands.
/// </summary>
internal sealed class TrafficModel
{
    /// <summary>Models of other owners that the account is a customer of; only the models route knows them.</summary>
    private static readonly string[] CalledModels =
        ["fal-ai/flux/dev", "fal-ai/flux/schnell", "fal-ai/flux-pro", "fal-ai/whisper", "fal-ai/kling-video", "fal-ai/any-llm"];

    private readonly DrawnApp[] _drawn = [];
    private readonly Dictionary<string, IReadOnlyList<IAccountEndpoint>> _owned = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyList<IAccountEndpoint>> _called = new(StringComparer.Ordinal);

    public TrafficModel(FalSimulatorOptions options)
    {
        Scripted = new ScriptedAccount(_owned.ContainsKey, options);
        if (options.Seed is not { } seed)
        {
            return;
        }

        _drawn = new DrawnApp[options.DrawnApps];
        for (int index = 0; index < _drawn.Length; index++)
        {
            DrawnApp app = _drawn[index] = new DrawnApp(options, seed, index);
            _owned[app.Name] = app.Endpoints;
            foreach (IAccountEndpoint route in app.Endpoints.Skip(1))
            {
                _owned[route.Id] = [route];
            }
        }

        for (int index = 0; index < CalledModels.Length; index++)
        {
            // Positions below zero: app keys are drawn from zero upward.
            ulong key = new Dice((ulong)seed, -1 - index).Next();
            string id = CalledModels[index];
            var timeline = new AppTimeline(key, [], scalesToZero: false);
            _called[id] =
            [
                new DrawnEndpoint(
                    id, key, timeline, 2 * (index + 1), keepsRunner: false, startsWarm: false, officeHoursOnly: false),
            ];
        }
    }

    /// <summary>The apps that a test scripts.</summary>
    public ScriptedAccount Scripted { get; }

    /// <summary>Whether traffic is drawn from a seed, besides what is scripted.</summary>
    public bool IsDrawn => _drawn.Length > 0;

    /// <summary>
    /// The apps of the account: those that are drawn, by number, then those that are scripted, in the order of their naming.
    /// </summary>
    public IReadOnlyList<IAccountApp> Apps => Scripted.Current is { Count: > 0 } scripted ? [.. _drawn, .. scripted.Values] : _drawn;

    /// <summary>
    /// The endpoints whose rows a requested id returns: an app id covers its routes, a route id is itself alone.
    /// False for an id that the account does not own.
    /// </summary>
    public bool TryGetOwned(string id, [NotNullWhen(true)] out IReadOnlyList<IAccountEndpoint>? endpoints)
    {
        if (_owned.TryGetValue(id, out endpoints))
        {
            return true;
        }

        endpoints = Scripted.Current.GetValueOrDefault(id)?.Endpoints;
        return endpoints is not null;
    }

    /// <summary>The same for an id that the account may call: its own and some public models.</summary>
    public bool TryGetCalled(string id, [NotNullWhen(true)] out IReadOnlyList<IAccountEndpoint>? endpoints) =>
        _called.TryGetValue(id, out endpoints) || TryGetOwned(id, out endpoints);
}
