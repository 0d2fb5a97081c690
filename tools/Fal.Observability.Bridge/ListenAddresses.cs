using System.Globalization;
using System.Net;

namespace Fal.Observability.Bridge;

/// <summary>
/// Where the bridge listens, by the settings of ASP.NET Core. Its server takes a host that it does not know for every address of the
/// machine,
/// so that a mistyped host would open the page to every network: here such a host is refused.
/// </summary>
internal static class ListenAddresses
{
    /// <summary>Where the bridge listens by default.</summary>
    public const string Default = "http://127.0.0.1:9464";

    private const string EndpointsSection = "Kestrel:Endpoints";

    private static readonly string[] Ports = ["http_ports", "https_ports"];

    /// <summary>The addresses that the settings name; none if they leave it to the default.</summary>
    /// <exception cref="InvalidOperationException">A setting names no address of this machine; the message says which.</exception>
    public static IReadOnlyList<BindingAddress> From(IConfiguration configuration)
    {
        // In the order in which the server looks: the first one overrides the others.
        BindingAddress[] endpoints =
        [
            .. configuration
                .GetSection(EndpointsSection)
                .GetChildren()
                .Select(endpoint => Parse(endpoint["Url"] ?? "", $"{endpoint.Path}:Url")),
        ];
        BindingAddress[] urls = [.. Parts(configuration["urls"]).Select(url => Parse(url, "urls"))];
        BindingAddress[] ports = [.. Ports.SelectMany(name => Parts(configuration[name]).Select(port => OfPort(port, name)))];
        return endpoints.Length > 0 ? endpoints : urls.Length > 0 ? urls : ports;
    }

    private static string[] Parts(string? list) =>
        list?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    private static BindingAddress OfPort(string port, string setting) =>
        int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= IPEndPoint.MaxPort
            ? BindingAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"{setting.Split('_')[0]}://*:{number}"))
            : throw Refusal(port, setting, "it must be a port from 0 to 65535");

    private static BindingAddress Parse(string url, string setting)
    {
        BindingAddress address;
        try
        {
            address = BindingAddress.Parse(url);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException)
        {
            throw Refusal(url, setting, $"it must be an address such as {Default}");
        }

        if (address.IsUnixPipe || address.IsNamedPipe || !IsOfThisMachine(address.Host))
        {
            throw Refusal(
                url, setting,
                $"its host must be an IP address, localhost, or * for every address of this machine, such as {Default}."
                + " ASP.NET Core would treat any other host as *");
        }

        return address.Port is >= 0 and <= IPEndPoint.MaxPort ? address : throw Refusal(url, setting, "its port must be from 0 to 65535");
    }

    private static bool IsOfThisMachine(string host) =>
        host is "*" or "+" || host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(host, out _);

    private static InvalidOperationException Refusal(string value, string setting, string demand) =>
        new($"{setting} is '{ShownText.Of(value)}'; {demand}.");
}
