using System.Text.RegularExpressions;

namespace Fal.Observability.Cli.Top;

/// <summary>
/// One spelling for a machine type. The live metrics write <c>NVIDIA H100 80GB HBM3</c> where the list of apps and the bill write
/// <c>GPU-H100</c>; both become <c>H100</c>.
/// </summary>
internal static partial class MachineName
{
    /// <summary>The model alone, as it may be written to a terminal.</summary>
    public static string Of(string name)
    {
        string model = MakerMemoryAndSocket().Replace(name, "");
        return ShownText.Of(model.Length > 0 ? model : name.Length > 0 ? name : Figures.Unnamed);
    }

    [GeneratedRegex("^(?:NVIDIA |AMD |GPU-)|[ -](?:[0-9]+GB|HBM[0-9]\\w*|SXM[0-9]|PCIe|NVL[0-9]*)(?=[ -]|$)")]
    private static partial Regex MakerMemoryAndSocket();
}
