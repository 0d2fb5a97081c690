using System.Diagnostics.CodeAnalysis;

namespace Fal.Observability.Client.Testing;

/// <summary>
/// All simulated traffic, a pure function of seed, endpoint and minute: any range can be computed, in any order and
/// any cutting, and always comes out the same.
/// </summary>
internal sealed class TrafficModel
{
    /// <summary>Models of other owners that the account is a customer of; only the models route knows them.</summary>
    private static readonly string[] CalledModels =
        ["fal-ai/flux/dev", "fal-ai/flux/schnell", "fal-ai/flux-pro", "fal-ai/whisper", "fal-ai/kling-video", "fal-ai/any-llm"];

    private readonly Dictionary<string, IReadOnlyList<SimulatedEndpoint>> _owned = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyList<SimulatedEndpoint>> _called = new(StringComparer.Ordinal);

    public TrafficModel(SimulatorOptions options)
    {
        var all = new SimulatedApp[options.Apps];
        for (int index = 0; index < all.Length; index++)
        {
            SimulatedApp app = all[index] = new SimulatedApp(options, index);
            _owned[app.Name] = app.Endpoints;
            foreach (SimulatedEndpoint route in app.Endpoints.Skip(1))
            {
                _owned[route.Id] = [route];
            }
        }
        Apps = all;

        for (int index = 0; index < CalledModels.Length; index++)
        {
            // Positions below zero: app keys are drawn from zero upward.
            ulong key = new Dice((ulong)options.Seed, -1 - index).Next();
            string id = CalledModels[index];
            var timeline = new AppTimeline(key, [], scalesToZero: false);
            _called[id] = [new SimulatedEndpoint(id, key, timeline, 2 * (index + 1), keepsRunner: false, officeHoursOnly: false)];
        }
    }

    /// <summary>The apps of the account, by number.</summary>
    public IReadOnlyList<SimulatedApp> Apps { get; }

    /// <summary>
    /// The endpoints whose rows a requested id returns: an app id covers its routes, a route id is itself alone.
    /// False for an id that the account does not own.
    /// </summary>
    public bool TryGetOwned(string id, [NotNullWhen(true)] out IReadOnlyList<SimulatedEndpoint>? endpoints) =>
        _owned.TryGetValue(id, out endpoints);

    /// <summary>The same for an id that the account may call: its own and some public models.</summary>
    public bool TryGetCalled(string id, [NotNullWhen(true)] out IReadOnlyList<SimulatedEndpoint>? endpoints) =>
        _called.TryGetValue(id, out endpoints) || _owned.TryGetValue(id, out endpoints);
}
