namespace Fal.Observability.Cli.Top;

/// <summary>Reads the page of the app that is open, and again each minute.</summary>
internal sealed class TopDetails(TopFeed feed, TimeProvider clock)
{
    // The buckets of the page are minutes.
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private string? _app;
    private long _asked;

    /// <summary>The read in progress.</summary>
    public Task Reading { get; private set; } = Task.CompletedTask;

    /// <summary>Starts a read if the page of an app is open and is not there yet, or is a minute old.</summary>
    public void Follow(TopView view, CancellationToken cancellationToken)
    {
        if (view.Page != TopPage.App)
        {
            _app = null;
        }
        else if (view.Selected is { } app && Reading.IsCompleted
            && (_app != app || (view.PausedAt is null && clock.GetElapsedTime(_asked) >= Interval)))
        {
            _app = app;
            _asked = clock.GetTimestamp();
            Reading = feed.ReadDetailsAsync(app, cancellationToken);
        }
    }
}
