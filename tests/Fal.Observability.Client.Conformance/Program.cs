using System.Globalization;
using Fal.Observability.Client.Conformance;
using Fal.Observability.Client.Prometheus;

const string usage = """
    Runs the parser over a folder of cases, each a folder with input.txt and expect.json.

    dotnet run --project tests/Fal.Observability.Client.Conformance -- FOLDER [options]
      --format prometheus-0.0.4|openmetrics-1.0   only cases of this format
      --level reader|families                     only this level (default: both)
      --path span|string|split|random|bytes|stream|pipe|rewrite   how the input is given (default: span);
                                                  rewrite: read, written and read again
      --culture NAME                              the current culture, for instance de-DE
      --verbose                                   a line for each case
      --invert                                    turn every expectation round: then every case but 'either' must fail
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
                Thread.CurrentThread.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.GetCultureInfo(value, predefinedOnly: true);
            }

            break;
        case not null when folder is null && !argument.StartsWith('-'):
            folder = argument;
            break;
        default:
            return Fail($"'{argument}' is not understood.");
    }
}

if (folder is null)
{
    return Fail("A folder of cases is needed.");
}

if (!Directory.Exists(folder))
{
    return Fail($"There is no folder '{folder}'.");
}

if (format is not (null or "prometheus-0.0.4" or "openmetrics-1.0"))
{
    return Fail($"'{format}' is no format.");
}

if (level is not (null or "reader" or "families"))
{
    return Fail($"'{level}' is no level.");
}

if (InputPath.Find(pathName) is not { } path)
{
    return Fail($"'{pathName}' is no path.");
}

int passed = 0;
int failed = 0;
int compared = 0;
foreach (ConformanceCase @case in ConformanceCase.ReadAll(folder).Where(c => format is null || c.FormatName == format))
{
    var options = new PrometheusParserOptions { Format = @case.Format };
    if (level is null or "reader")
    {
        Judge(@case, "reader", @case.Reader, path.Samples(@case.Input, options).Select(read => (Func<string?>)(() =>
        {
            IReadOnlyList<PrometheusSample> samples = read();
            return @case.Samples is null ? null : Comparison.Samples(samples, @case.Samples);
        })));
    }

    if (level is null or "families")
    {
        Judge(@case, "families", @case.Families, path.Families(@case.Input, options).Select(read => (Func<string?>)(() =>
        {
            PrometheusExposition exposition = read();
            return @case.Samples is null ? null
                : Comparison.Samples([.. exposition.Families.SelectMany(family => family.Samples)], @case.Samples)
                    ?? (@case.Metadata is null ? null : Comparison.Families(exposition, @case.Metadata));
        })));
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

void Judge(ConformanceCase @case, string caseLevel, Verdict verdict, IEnumerable<Func<string?>> readings)
{
    if (invert)
    {
        verdict = verdict switch { Verdict.Accept => Verdict.Reject, Verdict.Reject => Verdict.Accept, _ => verdict };
    }

    bool isCompared = false;
    string? failure = null;
    string answer = "";
    foreach (Func<string?> read in readings)
    {
        bool accepted;
        string? difference = null;
        try
        {
            difference = read();
            accepted = true;
            answer = "accepted";
        }
        catch (PrometheusFormatException exception)
        {
            accepted = false;
            answer = "rejected: " + exception.Message;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // Any other exception is a defect, whatever the case expects: it must show as a failed case, not end the run.
            failure = "crashed: " + exception;
            break;
        }

        if (accepted && @case.Samples is not null && verdict != Verdict.Reject)
        {
            isCompared = true;
        }

        failure = verdict switch
        {
            Verdict.Accept when !accepted => "should be accepted, " + answer,
            Verdict.Accept or Verdict.Either when difference is not null => "read differently: " + difference,
            Verdict.Reject when accepted => "should be rejected",
            _ => null,
        };
        if (failure is not null)
        {
            break;
        }
    }

    if (isCompared)
    {
        compared++;
    }

    if (failure is null)
    {
        passed++;
    }
    else
    {
        failed++;
    }

    if (verbose || (failure is not null && !invert))
    {
        Console.WriteLine($"{(failure is null ? "pass" : "FAIL")}  {caseLevel,-8}  {@case.Name}  {failure ?? answer}");
    }
}
