namespace Fal.Observability.Cli.Top;

/// <summary>The page that explains the others.</summary>
internal static class TopHelp
{
    public static readonly string[] Lines =
    [
        "",
        "s, S        sort by the next or the previous column       r   reverse the order",
        "/ or f      filter by a part of the name; Esc clears      p   pause and go on",
        "Up, Down    move; PgUp, PgDn, Home, End as well           ?   this help",
        "Enter       open one app; Esc goes back                   q   quit",
        "",
        "queue       requests that wait           busy    requests in progress",
        "run         runners in any state         limit   the most runners of the app",
        "p50 p90 p99 latency in seconds of the requests completed in the last minute",
        "err%        share of 5xx answers in the requests completed in the last minute",
        "gpu, vram   use in percent of one GPU on average",
        "today       cost since midnight UTC; it is read every five minutes",
        "The bars beside queue and busy are the latest reads, the newest on the right.",
        "",
        "Trouble is the share of errors in percent, and the time that a new request",
        "waits, in percent of a minute (at most 100 each; a wait below 5 s counts 0).",
        "'!' marks an app from 5 on. '-' is a value that the service did not send.",
    ];
}
