using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client.Conformance;

/// <summary>The result of one level of the parser for a case.</summary>
/// <param name="Level"><c>reader</c> or <c>families</c>.</param>
/// <param name="Answer">Whether the input was accepted, or the reason for its rejection.</param>
/// <param name="Failure">The difference between the answer and the required result, or null.</param>
/// <param name="WasCompared">Whether the samples were compared with expected samples.</param>
internal sealed record CaseResult(string Level, string Answer, string? Failure, bool WasCompared)
{
    /// <summary>Reads a case at both levels, in every way that the path offers.</summary>
    /// <param name="case">The case.</param>
    /// <param name="path">How the parser gets the input.</param>
    /// <param name="invert">Whether to swap accept and reject. Every case except <c>either</c> must then fail.</param>
    public static IEnumerable<CaseResult> Of(ConformanceCase @case, InputPath path, bool invert)
    {
        var options = new PrometheusParserOptions { Format = @case.Format };
        yield return Judge(
            @case,
            "reader",
            Demanded(@case.Reader, invert),
            path.Samples(@case.Input, options)
                .Select(read =>
                    (Func<string?>)(
                        () =>
                        {
                            IReadOnlyList<PrometheusSample> samples = read();
                            return @case.Samples is null ? null : Comparison.Samples(samples, @case.Samples);
                        }
                    )
                )
        );
        yield return Judge(
            @case,
            "families",
            Demanded(@case.Families, invert),
            path.Families(@case.Input, options)
                .Select(read =>
                    (Func<string?>)(
                        () =>
                        {
                            PrometheusExposition exposition = read();
                            return @case.Samples is null
                                ? null
                                : Comparison.Samples([.. exposition.Families.SelectMany(family => family.Samples)], @case.Samples)
                                    ?? (@case.Metadata is null ? null : Comparison.Families(exposition, @case.Metadata));
                        }
                    )
                )
        );
    }

    private static Verdict Demanded(Verdict verdict, bool invert) => (verdict, invert) switch
    {
        (Verdict.Accept, true) => Verdict.Reject,
        (Verdict.Reject, true) => Verdict.Accept,
        _ => verdict,
    };

    private static CaseResult Judge(ConformanceCase @case, string level, Verdict verdict, IEnumerable<Func<string?>> readings)
    {
        string answer = "";
        bool wasCompared = false;
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
                // Any other exception is a defect, whatever the case expects. It must show as a failed case and not end the run.
                return new CaseResult(level, answer, "crashed: " + exception, wasCompared);
            }

            wasCompared |= accepted && @case.Samples is not null && verdict != Verdict.Reject;
            string? failure = verdict switch
            {
                Verdict.Accept when !accepted => "should be accepted, " + answer,
                Verdict.Accept or Verdict.Either when difference is not null => "read differently: " + difference,
                Verdict.Reject when accepted => "should be rejected",
                _ => null,
            };
            if (failure is not null)
            {
                return new CaseResult(level, answer, failure, wasCompared);
            }
        }

        return new CaseResult(level, answer, null, wasCompared);
    }
}
