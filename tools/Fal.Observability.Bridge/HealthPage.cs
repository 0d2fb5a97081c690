using System.Globalization;
using System.Text;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Fal.Observability.Bridge;

/// <summary>The answer of <c>/health</c>, for people: a line for each check and each thing it has to say.</summary>
internal static class HealthPage
{
    public static Task WriteAsync(HttpContext context, HealthReport report)
    {
        var text = new StringBuilder();
        foreach ((string name, HealthReportEntry entry) in report.Entries)
        {
            text.Append(name)
                .Append(": ")
                .Append(entry.Status)
                .Append(entry.Description is null ? "" : $", {ShownText.Of(entry.Description)}")
                .Append('\n');
            foreach ((string key, object value) in entry.Data)
            {
                string shown = ShownText.Of(string.Create(CultureInfo.InvariantCulture, $"{value}"));
                text.Append(CultureInfo.InvariantCulture, $"  {key}: {shown}\n");
            }
        }

        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text.ToString(), context.RequestAborted);
    }
}
