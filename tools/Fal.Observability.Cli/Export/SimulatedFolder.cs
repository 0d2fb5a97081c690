namespace Fal.Observability.Cli.Export;

/// <summary>
/// Keeps simulated and real data in folders of their own: once they are mixed, nothing in a file shows which figure is which.
/// </summary>
internal static class SimulatedFolder
{
    private const string Mark = "SIMULATED-DATA.txt";

    /// <summary>Creates the folder if it does not exist, and marks it if it is to hold simulated data.</summary>
    /// <param name="folder">The folder that a program is about to write into.</param>
    /// <param name="isSimulated">Whether the data come from the simulator.</param>
    /// <returns>Why the data must not go there and what to do; null if they may.</returns>
    public static string? Claim(string folder, bool isSimulated)
    {
        Directory.CreateDirectory(folder);
        string mark = Path.Combine(folder, Mark);
        if (File.Exists(mark))
        {
            return isSimulated
                ? null
                : $"{folder} holds simulated data, which must not be mixed with real data. Remove it, or choose another folder.";
        }

        if (!isSimulated)
        {
            return null;
        }

        if (Directory.EnumerateFileSystemEntries(folder).Any())
        {
            return $"Without FAL_KEY the data are simulated, but {folder} holds other files. Set FAL_KEY, or choose another folder for " +
                $"simulated data.";
        }

        File.WriteAllText(mark, "The data in this folder are simulated.\n");
        return null;
    }
}
