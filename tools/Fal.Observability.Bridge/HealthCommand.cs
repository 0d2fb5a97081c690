using System.Globalization;

namespace Fal.Observability.Bridge;

/// <summary>
/// Asks the bridge of this machine whether it is ready, for the health check of a container, whose image has no other program that could.
/// </summary>
/// <remarks>A failure is always 1: Docker reserves 2 for itself.</remarks>
internal static class HealthCommand
{
    public const string Name = "health";

    /// <summary>Docker waits 30 seconds.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>Calls <c>/ready</c> and prints the result in one line.</summary>
    /// <param name="configuration">The settings that the bridge was started with.</param>
    /// <returns>The exit code: 0 if the bridge is ready, else 1.</returns>
    /// <exception cref="InvalidOperationException">The settings name no address of this machine.</exception>
    public static async Task<int> RunAsync(IConfiguration configuration)
    {
        IReadOnlyList<BindingAddress> addresses = ListenAddresses.From(configuration);
        BindingAddress address = addresses.FirstOrDefault(address => address.Scheme == Uri.UriSchemeHttp)
            ?? (addresses is [var first, ..] ? first : BindingAddress.Parse(ListenAddresses.Default));
        if (address.Port == 0)
        {
            return await FailAsync("The settings name port 0, so the bridge chose a port that this command cannot know. Name a port.");
        }

        var url = new UriBuilder(address.Scheme, HostOf(address), address.Port, $"{address.PathBase}/ready").Uri;
        // The certificate names this machine as others know it, and the request holds no secret. A proxy does not know this machine.
        using var handler = new HttpClientHandler
        {
            ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator,
            CheckCertificateRevocationList = true,
            UseProxy = false,
        };
        using var http = new HttpClient(handler) { Timeout = Limit };
        try
        {
            using HttpResponseMessage answer = await http.GetAsync(url, HttpCompletionOption.ResponseHeadersRead);
            if (!answer.IsSuccessStatusCode)
            {
                return await FailAsync(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"The bridge is not ready: {url} answers {(int)answer.StatusCode}. Its log and /health say why."
                    )
                );
            }
        }
        catch (HttpRequestException e)
        {
            return await FailAsync($"The bridge does not answer at {url}: {e.Message}");
        }
        catch (TaskCanceledException)
        {
            return await FailAsync(
                string.Create(CultureInfo.InvariantCulture, $"The bridge does not answer at {url} within {Limit.TotalSeconds} s.")
            );
        }

        Console.WriteLine($"The bridge is ready: {url} answers 200.");
        return 0;
    }

    /// <summary>Whom to ask where the bridge listens on every address.</summary>
    private static string HostOf(BindingAddress address) => address.Host switch
    {
        "*" or "+" => "localhost",
        "0.0.0.0" => "127.0.0.1",
        "[::]" => "[::1]",
        var host => host,
    };

    private static async Task<int> FailAsync(string line)
    {
        await Console.Error.WriteLineAsync(line);
        return 1;
    }
}
