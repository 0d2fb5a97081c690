using System.Text.RegularExpressions;

namespace Fal.Observability.Client.Testing;

/// <summary>The apps that a test scripts. A change of any of them makes a new version, which what is cached belongs to.</summary>
/// <param name="isDrawn">Whether an id belongs to an app that is drawn from the seed.</param>
/// <param name="options">How the simulator behaves.</param>
internal sealed partial class ScriptedAccount(Func<string, bool> isDrawn, FalSimulatorOptions options)
{
    private readonly object _lock = new();
    private readonly List<SimulatedApp> _apps = [];
    private Dictionary<string, ScriptedApp>? _current;
    private long _version;

    /// <summary>Grows with every change.</summary>
    public long Version => Interlocked.Read(ref _version);

    /// <summary>The apps as they stand, in the order in which they were first named.</summary>
    public IReadOnlyDictionary<string, ScriptedApp> Current
    {
        get
        {
            lock (_lock)
            {
                return _current ??= _apps
                    .Select(app => new ScriptedApp(app, options))
                    .ToDictionary(app => app.Name, StringComparer.Ordinal);
            }
        }
    }

    /// <summary>The script of an app, which is new to the account if nobody named it before.</summary>
    /// <param name="id">The app id, <c>owner/name</c>.</param>
    /// <exception cref="ArgumentException">It is no app id, or the id of an app that is drawn from the seed.</exception>
    public SimulatedApp App(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        if (!AppId().IsMatch(id))
        {
            throw new ArgumentException(
                $"'{id}' is not an app id: give the owner and the name, such as my-org/my-app, in letters, digits, '-', '_' and '.'.",
                nameof(id)
            );
        }

        if (isDrawn(id))
        {
            throw new ArgumentException(
                $"'{id}' is drawn from the seed and cannot be scripted: use another id, or start the simulator without a seed.",
                nameof(id)
            );
        }

        lock (_lock)
        {
            SimulatedApp? app = _apps.Find(app => app.Id == id);
            if (app is null)
            {
                app = new SimulatedApp(id, this, options.TimeProvider.GetUtcNow());
                Change(() => _apps.Add(app));
            }

            return app;
        }
    }

    /// <summary>Takes an app away.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Remove(string id)
    {
        bool removed = false;
        Change(() => removed = _apps.RemoveAll(app => app.Id == id) > 0);
        return removed;
    }

    /// <summary>Makes a change that no reader sees half of.</summary>
    public void Change(Action change)
    {
        lock (_lock)
        {
            change();
            _current = null;
            Interlocked.Increment(ref _version);
        }
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*\\z", RegexOptions.CultureInvariant)]
    private static partial Regex AppId();
}
