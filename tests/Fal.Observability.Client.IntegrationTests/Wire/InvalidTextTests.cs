using System.Text;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>Bodies whose strings are not text: an unpaired surrogate as an escape, and bytes that are not UTF-8.</summary>
public sealed class InvalidTextTests
{
    // Each character is one byte of the body.
    private static readonly string[] NotText = ["\\ud800", "\\uDC00", "\\ud83d\\u0041", "\u00ff", "\u00c3\u0028", "\u00ed\u00a0\u0080"];

    private static readonly string[] Shapes =
    [
        """{"error":{"type":"T_","message":"before_after","request_id":"_","docs_url":"https://fal.ai/_"}}""",
        """{"_":1,"error":{"_":2,"message":"before_after"}}""",
        """{"error":"before_after"}""",
        """{"detail":"before_after"}""",
        """{"detail":[{"loc":["_",1,{"_":"_"}],"msg":"before_after"}]}""",
        """{"message":"before_after","_":[]}""",
    ];

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task An_error_gives_the_exception_of_its_status_with_what_can_be_shown(FalCall call)
    {
        (int Status, Type Exception)[] statuses =
        [
            (400, typeof(FalApiException)), (401, typeof(FalAuthenticationException)), (403, typeof(FalForbiddenException)),
            (429, typeof(FalRateLimitException)), (500, typeof(FalApiException)),
        ];
        foreach (string shape in Shapes)
        {
            foreach (string notText in NotText)
            {
                (int status, Type exception) = statuses[(Array.IndexOf(Shapes, shape) + Array.IndexOf(NotText, notText)) % statuses.Length];
                byte[] body = Encoding.Latin1.GetBytes(
                    shape
                        .Replace("_", notText, StringComparison.Ordinal)
                        .Replace($"request{notText}id", "request_id", StringComparison.Ordinal)
                        .Replace($"docs{notText}url", "docs_url", StringComparison.Ordinal)
                );
                await using RawServer server = RawServer.Start(RawServer.Answer(status, "application/json", body));
                using var account = new FalAccount(server.BaseAddress, options => options.MaxAttempts = 1);

                Exception failure = await account.FailureOfAsync(call);

                Assert.IsType(exception, failure);
                var answered = (FalApiException)failure;
                Assert.Equal(status, (int)answered.StatusCode);
                Assert.Matches("before\uFFFD+(A|[(])?after$", answered.ServiceMessage);
            }
        }
    }

    [Theory]
    [InlineData(FalCall.Page)]
    [InlineData(FalCall.ModelsPage)]
    [InlineData(FalCall.TimeSeries)]
    [InlineData(FalCall.RawServerlessAnalytics)]
    [InlineData(FalCall.RawModelsAnalytics)]
    public async Task New_fields_and_endpoint_ids_that_are_not_text_fail_no_call(FalCall call)
    {
        foreach (string notText in NotText)
        {
            string page =
                $$"""{"_":"_","time_series":[{"_":"_","bucket":"2026-01-01T00:00:00Z","results":[{"endpoint_id":"my-org/_","_":"_"}]}]}""";
            await using RawServer server = RawServer.Start(RawServer.Answer(200, "application/json", Body(page)));
            using var account = new FalAccount(server.BaseAddress);

            await account.RunAsync(call, TestContext.Current.CancellationToken);

            byte[] Body(string json) => Encoding.Latin1.GetBytes(json.Replace("_\"", $"{notText}\"", StringComparison.Ordinal));
        }
    }
}
