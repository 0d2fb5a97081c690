namespace Fal.Observability.Client;

/// <summary>One route of the service: how to recognise a request to it, and what a refusal can mean.</summary>
/// <param name="Template">The path below the version of the API. A segment in braces stands for any segment.</param>
/// <param name="Permission">What to do about a 403 whose message mentions a permission.</param>
/// <param name="Forbidden">What to do about a 403 whose message names no cause.</param>
/// <param name="NotFound">What to do about a 404.</param>
internal sealed record FalRoute(string Template, string Permission, string Forbidden, string NotFound)
{
    private const string AnyPermission = "The key lacks a permission for this call. Check its permissions in the fal dashboard.";
    private const string AddPermission = "Add the permission to the key in the fal dashboard.";
    private const string CheckAddress = "Check the base address. It must end with the API version, /v1.";
    private const string CheckEndpoints = "Check the endpoint ids. Check that the base address ends with the API version, /v1.";

    private const string PermissionOrEndpoint =
        "Either the key lacks a permission for this call, or one of the endpoints is not owned by the key's account. Check both in the fal"
        + " dashboard.";

    private const string AddPermissionOrEndpoint =
        AddPermission + " The service also refuses a call like this when the key's account does not own one of the endpoints.";

    // The first route that matches the end of the path is used.
    private static readonly FalRoute[] Known =
    [
        new("/serverless/metrics", AddPermission, AnyPermission, CheckAddress),
        new("/serverless/analytics", AddPermissionOrEndpoint, PermissionOrEndpoint, CheckEndpoints),
        new("/models/analytics", AddPermissionOrEndpoint, PermissionOrEndpoint, CheckEndpoints),
        new(
            "/serverless/apps",
            AddPermission,
            AnyPermission,
            "Check the name of the environment. Check that the base address ends with the API version, /v1."),
        new(
            "/serverless/apps/{owner}/{name}/runners/history",
            AddPermission + " The service also refuses a call like this when the key's account does not own the app.",
            "Either the key lacks a permission for this call, or the app is not owned by the key's account. Check both in the fal " +
                "dashboard.",
            "The account has no app with this owner and name. Apps.ListAsync lists the ids of its apps. Check the base address too."),
        new(
            "/serverless/usage",
            "Usage needs the permission billing:usage:read. Add it to the key in the fal dashboard.",
            "The key lacks a permission for this call. Usage is billing data and needs billing:usage:read. Add it to the key in the fal" +
            " dashboard.",
            CheckAddress),
    ];

    // For a path that matches no known route, such as the caller's own.
    private static readonly FalRoute Other = new("", AddPermission, AnyPermission, CheckAddress);

    private readonly string[] _segments = Template.Split('/', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The route of a path.</summary>
    /// <param name="path">The path of a request, including any prefix from the base address.</param>
    public static FalRoute Of(string? path)
    {
        string[] segments = (path ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
        foreach (FalRoute route in Known)
        {
            if (route.IsEndOf(segments))
            {
                return route;
            }
        }

        return Other;
    }

    /// <summary>The method and route of a request, for telemetry. It has few distinct values, whatever the path contains.</summary>
    public static string NameOf(HttpRequestMessage request)
    {
        string path = request.RequestUri?.AbsolutePath ?? "";
        FalRoute route = Of(path);
        if (!route.Template.Contains('{', StringComparison.Ordinal))
        {
            return FalRequestOptions.Operation(request);
        }

        string[] segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return $"{request.Method} {string.Concat(segments[..^route._segments.Length].Select(segment => $"/{segment}"))}{route.Template}";
    }

    /// <summary>
    /// What to do about a 403, chosen by the service's message. The wording is not guaranteed, so any other message gets the general
    /// advice.
    /// </summary>
    /// <param name="words">The service's message; null if it sent none.</param>
    public string ForbiddenAdvice(string? words)
    {
        words ??= "";
        if (Says("request access"))
        {
            return "The key's account has no access to fal Serverless yet. Request it in the fal dashboard. Another key of the same " +
                "account does not help.";
        }

        if (Says("contact support") || Says("not enabled") || Says("not available for your account"))
        {
            return "The feature is not enabled for the key's account. Ask fal's support to enable it. Another key of the same account " +
                "does not help.";
        }

        if (Says("owned") || Says("not own") || Says("does not belong"))
        {
            return "An endpoint in the call is not owned by the key's account. Check the endpoint ids, and the account " +
                "of the key.";
        }

        return Says("permission") || Says("scope") ? Permission : Forbidden;

        bool Says(string text) => words.Contains(text, StringComparison.OrdinalIgnoreCase);
    }

    private bool IsEndOf(string[] path)
    {
        if (path.Length < _segments.Length)
        {
            return false;
        }

        ReadOnlySpan<string> end = path.AsSpan(path.Length - _segments.Length);
        for (int i = 0; i < _segments.Length; i++)
        {
            if (_segments[i][0] != '{' && !_segments[i].Equals(end[i], StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }
}
