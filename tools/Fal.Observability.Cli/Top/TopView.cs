namespace Fal.Observability.Cli.Top;

/// <summary>What the rows are sorted by. The highest value comes first.</summary>
internal enum TopSort
{
    Trouble,
    Queue,
    Busy,
    Runners,
    P99,
    Errors,
    Gpu,
    Cost,
    Name,
}

/// <summary>Which page is on the screen.</summary>
internal enum TopPage
{
    Apps,
    App,
}

/// <summary>What a person has chosen with the keys.</summary>
internal sealed record TopView
{
    public TopPage Page { get; init; }

    /// <summary>Whether the list of keys covers the page.</summary>
    public bool IsHelp { get; init; }

    /// <summary>Whether the program is to end.</summary>
    public bool IsEnded { get; init; }

    public TopSort Sort { get; init; }

    /// <summary>How the command line and the screen call an order.</summary>
    public static string NameOf(TopSort sort) => Enum.GetName(sort)!.ToLowerInvariant();

    public bool IsReversed { get; init; }

    /// <summary>Only apps whose name contains this, in any case of letters.</summary>
    public string Filter { get; init; } = "";

    /// <summary>Whether the next keys are text of the filter.</summary>
    public bool IsTyping { get; init; }

    /// <summary>The read at which a person has paused; null: the screen shows the latest one.</summary>
    public TopReading? PausedAt { get; init; }

    /// <summary>The app under the cursor by its id; null: there is no cursor, until a person moves it.</summary>
    public string? Selected { get; init; }

    /// <summary>How many lines of the page of one app, or of the help, are scrolled out of sight.</summary>
    public int Scrolled { get; init; }
}
