using OxyPlot;

namespace Fal.Observability.Cli.Report;

/// <summary>
/// The colours of plots. Each stands for a class of the style sheet, which has a colour for light, for dark and for paper; the value by
/// which OxyPlot knows it is never shown.
/// </summary>
internal static class PlotInk
{
    public static readonly OxyColor Text = Ink(1);
    public static readonly OxyColor Grid = Ink(2);
    public static readonly OxyColor Provisional = Ink(3);
    public static readonly OxyColor First = Ink(4);
    public static readonly OxyColor Second = Ink(5);
    public static readonly OxyColor Third = Ink(6);
    public static readonly OxyColor FirstArea = Ink(7);
    public static readonly OxyColor SecondArea = Ink(8);
    public static readonly OxyColor ProvisionalLine = Ink(9);

    private static readonly Dictionary<OxyColor, string> Classes = new()
    {
        [Text] = "ink-text",
        [Grid] = "ink-grid",
        [Provisional] = "ink-provisional",
        [First] = "ink-1",
        [Second] = "ink-2",
        [Third] = "ink-3",
        [FirstArea] = "ink-1-area",
        [SecondArea] = "ink-2-area",
        [ProvisionalLine] = "ink-provisional",
    };

    /// <summary>The class of a colour.</summary>
    public static string ClassOf(OxyColor color) => Classes[color];

    private static OxyColor Ink(byte number) => OxyColor.FromRgb(number, 0, 0);
}
