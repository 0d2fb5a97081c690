using System.Globalization;
using System.Text;
using OxyPlot;

namespace Fal.Observability.Cli.Report;

/// <summary>
/// Where OxyPlot draws: elements of SVG whose colours are classes of the style sheet. OxyPlot's own export has fixed colours in each
/// element, and neither a view box nor a text for those who do not see the plot.
/// </summary>
internal sealed class PlotCanvas(HtmlWriter html) : RenderContextBase
{
    // Of a character of a sans-serif font, as a share of the size of the font.
    private const double CharacterWidth = 0.56;
    private const double LineHeight = 1.2;

    private int _clips;

    public override int ClipCount => _clips;

    public override void DrawLine(
        IList<ScreenPoint> points,
        OxyColor stroke,
        double thickness,
        EdgeRenderingMode edgeRenderingMode,
        double[] dashArray,
        LineJoin lineJoin)
    {
        if (points.Count > 1 && stroke.IsVisible())
        {
            Path(points, close: false, "line", stroke, thickness, dashArray);
        }
    }

    public override void DrawPolygon(
        IList<ScreenPoint> points,
        OxyColor fill,
        OxyColor stroke,
        double thickness,
        EdgeRenderingMode edgeRenderingMode,
        double[] dashArray,
        LineJoin lineJoin)
    {
        if (points.Count > 2 && fill.IsVisible())
        {
            Path(points, close: true, "area", fill, 1, null);
        }
    }

    public override void DrawText(
        ScreenPoint p,
        string text,
        OxyColor fill,
        string fontFamily,
        double fontSize,
        double fontWeight,
        double rotation,
        HorizontalAlignment horizontalAlignment,
        VerticalAlignment verticalAlignment,
        OxySize? maxSize)
    {
        double drop = verticalAlignment switch { VerticalAlignment.Top => 0.85, VerticalAlignment.Middle => 0.35, _ => -0.2 };
        html.Element(
            "text",
            text,
            ("class", PlotInk.ClassOf(fill)),
            ("x", Number(p.X)),
            ("y", Number(p.Y + (drop * fontSize))),
            ("text-anchor", horizontalAlignment switch
            {
                HorizontalAlignment.Left => null,
                HorizontalAlignment.Center => "middle",
                _ => "end",
            }));
    }

    public override OxySize MeasureText(string text, string fontFamily, double fontSize, double fontWeight) =>
        string.IsNullOrEmpty(text) ? OxySize.Empty : new OxySize(text.Length * fontSize * CharacterWidth, fontSize * LineHeight);

    // Nothing is drawn outside the axes, which span all data.
    public override void PushClip(OxyRect clippingRectangle) => _clips++;

    public override void PopClip() => _clips--;

    private void Path(
        IList<ScreenPoint> points, bool close, string kind, OxyColor color, double thickness, double[]? dashArray)
    {
        var path = new StringBuilder();
        string previous = "";
        foreach (ScreenPoint point in points)
        {
            string place = $"{Number(point.X)} {Number(point.Y)}";
            if (place != previous)
            {
                path.Append(path.Length == 0 ? 'M' : 'L').Append(place);
                previous = place;
            }
        }

        html.Empty(
            "path",
            ("class", $"{kind} {PlotInk.ClassOf(color)}"),
            ("d", path.Append(close ? "Z" : "").ToString()),
            ("stroke-width", thickness is 1 ? null : Number(thickness)),
            ("stroke-dasharray", dashArray is null ? null : string.Join(' ', dashArray.Select(dash => Number(dash * thickness)))));
    }

    private static string Number(double value) => Math.Round(value, 1).ToString("0.#", CultureInfo.InvariantCulture);
}
