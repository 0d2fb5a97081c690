using System.Globalization;
using Xunit;

namespace Fal.Observability.Client.Tests;

/// <summary>Runs the code within it under another culture of the thread.</summary>
internal sealed class CultureScope : IDisposable
{
    private readonly CultureInfo _before = Thread.CurrentThread.CurrentCulture;

    public CultureScope(string name) => Thread.CurrentThread.CurrentCulture = CultureInfo.GetCultureInfo(name);

    /// <summary>Invariant, comma as decimal point, dotless i, and two calendars and digit sets of their own.</summary>
    public static TheoryData<string> Names => ["", "de-DE", "tr-TR", "ar-SA", "fa-IR"];

    public void Dispose() => Thread.CurrentThread.CurrentCulture = _before;
}
