/// <summary>
/// Writes down which assemblies a program has loaded when it ends. The runtime finds it by this name, in the assembly that
/// <c>DOTNET_STARTUP_HOOKS</c> names.
/// </summary>
internal static class StartupHook
{
    /// <summary>The variable that names the file to write.</summary>
    public const string FileVariable = "TEST_LOADED_ASSEMBLIES";

    public static void Initialize() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        if (Environment.GetEnvironmentVariable(FileVariable) is { } file)
        {
            File.WriteAllLines(file, AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetName().Name ?? ""));
        }
    };
}
