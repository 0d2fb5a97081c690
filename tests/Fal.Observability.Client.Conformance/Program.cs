using System.Globalization;
using Fal.Observability.Client.Conformance;

const string usage = """
    Runs the parser on a folder of cases. Each case is a folder with input.txt and expect.json.

    dotnet run --project tests/Fal.Observability.Client.Conformance -- FOLDER [options]
      --format prometheus-0.0.4|openmetrics-1.0   only cases of this format
      --level reader|families                     only this level (default: both)
      --path span|string|split|random|bytes|stream|pipe|rewrite   how the parser gets the input (default: span);
                                                  rewrite: read, write and read again
      --culture NAME                              run with this culture, for instance de-DE
      --verbose                                   print one line per case
      --invert                                    invert every expectation: every case except 'either' must then fail
    """;

string? folder = null;
string? format = null;
string? level = null;
string pathName = "span";
bool verbose = false;
bool invert = false;
var arguments = new Queue<string>(args);
while (arguments.TryDequeue(out string? argument))
{
    switch (argument)
    {
        case "--verbose":
            verbose = true;
            break;
        case "--invert":
            invert = true;
            break;
        case "--format" or "--level" or "--path" or "--culture" when arguments.TryDequeue(out string? value):
            if (argument == "--format")
            {
                format = value;
            }
            else if (argument == "--level")
            {
                level = value;
            }
            else if (argument == "--path")
            {
                pathName = value;
            }
            else
            {
                Thread.CurrentThread.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.GetCultureInfo(
                    value,
                    predefinedOnly: true
                );
            }

            break;
        case not null when folder is null && !argument.StartsWith('-'):
            folder = argument;
            break;
        default:
            return Fail($"'{argument}' is not a known option.");
    }
}

if (folder is null)
{
    return Fail("The folder of cases is missing.");
}

if (!Directory.Exists(folder))
{
    return Fail($"The folder '{folder}' does not exist.");
}

if (format is not (null or "prometheus-0.0.4" or "openmetrics-1.0"))
{
    return Fail($"'{format}' is not a format: use prometheus-0.0.4 or openmetrics-1.0.");
}

if (level is not (null or "reader" or "families"))
{
    return Fail($"'{level}' is not a level: use reader or families.");
}

if (InputPath.Find(pathName) is not { } path)
{
    return Fail($"'{pathName}' is not a path: use {string.Join(", ", InputPath.Names)}.");
}

int passed = 0;
int failed = 0;
int compared = 0;
foreach (ConformanceCase @case in ConformanceCase.ReadAll(folder).Where(c => format is null || c.FormatName == format))
{
    foreach (CaseResult result in CaseResult.Of(@case, path, invert).Where(result => level is null || level == result.Level))
    {
        compared += result.WasCompared ? 1 : 0;
        passed += result.Failure is null ? 1 : 0;
        failed += result.Failure is null ? 0 : 1;
        if (verbose || (result.Failure is not null && !invert))
        {
            Console.WriteLine(
                $"{(result.Failure is null ? "pass" : "FAIL")}  {result.Level,-8}  {@case.Name}  {result.Failure ?? result.Answer}"
            );
        }
    }
}

Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"samples compared in {compared} cases"));
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{passed} passed, {failed} failed"));
if (passed + failed == 0)
{
    return Fail($"No cases found in '{folder}'.");
}

return failed == 0 ? 0 : 1;

int Fail(string message)
{
    Console.Error.WriteLine(message);
    Console.Error.WriteLine(usage);
    return 2;
}
