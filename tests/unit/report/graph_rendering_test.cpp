// Pictures of graphs as SVG and DOT.
#include <string>

#include "report/graph_svg.hpp"
#include "report/graph_text.hpp"
#include "support/catch.hpp"

namespace venvoy::report {
namespace {

using Catch::ContainsSubstring;
using Shape = GraphPicture::Shape;

GraphPicture every_shape() {
  GraphPicture picture;
  picture.title = "workflow.yaml";
  picture.nodes = {{"input", "input", {}, {}, Shape::input},
                   {"steps.a", "a", "say \"x\"", "the step a", Shape::step},
                   {"steps.l", "l", "sub.yaml", {}, Shape::loop},
                   {"outputs.success", "success", "output", {}, Shape::output},
                   {"outputs.error", "error", "output", {}, Shape::error_output}};
  picture.edges = {{0, 1, {}, false}, {1, 2, {}, false}, {2, 3, {}, true}, {2, 4, "failed.error", true}};
  return picture;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t result = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++result;
  return result;
}

TEST_CASE("SVG: every node and edge, with nothing from elsewhere") {
  const std::string svg = graph_svg(every_shape());
  CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" "));
  CHECK(svg.ends_with("</svg>\n"));
  CHECK_THAT(svg, ContainsSubstring("<title>workflow.yaml</title>"));
  CHECK_THAT(svg, ContainsSubstring("<g class=\"input\" id=\"input\">"));
  CHECK_THAT(svg, ContainsSubstring("<g class=\"step\" id=\"steps.a\"><title>the step a</title>"));
  CHECK_THAT(svg, ContainsSubstring(">say &quot;x&quot;</text>"));
  CHECK_THAT(svg, ContainsSubstring(">sub.yaml</text>"));
  CHECK_THAT(svg, ContainsSubstring("<g class=\"error-output\" id=\"outputs.error\">"));
  CHECK_THAT(svg, ContainsSubstring(">failed.error</text>"));
  CHECK(count(svg, "<rect ") == 6);  // two of the loop
  CHECK(count(svg, "class=\"edge\"") == 2);
  CHECK(count(svg, "class=\"edge conditional\"") == 2);
  CHECK(count(svg, "marker-end") == 4);
  CHECK(count(svg, "http") == 1);
  CHECK(svg == graph_svg(every_shape()));
}

TEST_CASE("SVG: texts stay texts") {
  GraphPicture picture;
  picture.title = "<script>";
  picture.nodes = {{"steps.\"><b", "<b>&\x01\n\xFF\xEF\xBF\xBE", "a'\"", "]]>", Shape::step}};
  const std::string svg = graph_svg(picture);
  CHECK(count(svg, "<script") == 0);
  CHECK(count(svg, "<b") == 0);
  CHECK_THAT(svg, ContainsSubstring("id=\"steps.&quot;&gt;&lt;b\""));
  CHECK_THAT(svg, ContainsSubstring(">&lt;b&gt;&amp;  \xEF\xBF\xBD\xEF\xBF\xBD</text>"));
  CHECK_THAT(svg, ContainsSubstring("<title>]]&gt;</title>"));
}

TEST_CASE("SVG: a very long name is shortened in its box and whole in its tooltip") {
  GraphPicture picture;
  const std::string name(400, 'n');
  picture.nodes = {{"steps.n", name, {}, {}, Shape::step}};
  const std::string svg = graph_svg(picture);
  CHECK_THAT(svg, ContainsSubstring("<title>" + name + "</title>"));
  CHECK_THAT(svg, ContainsSubstring(">" + name.substr(0, 47) + "\xE2\x80\xA6</text>"));
}

TEST_CASE("DOT") {
  CHECK(graph_dot(every_shape()) == R"(digraph "workflow.yaml" {
  rankdir=TB;
  node [fontname="sans-serif", fontsize=11];
  edge [fontname="sans-serif", fontsize=9];
  "input" [label="input", shape=oval];
  "steps.a" [label="a\nsay \"x\"", shape=box, style=rounded];
  "steps.l" [label="l\nsub.yaml", shape=box3d];
  "outputs.success" [label="success\noutput", shape=oval];
  "outputs.error" [label="error\noutput", shape=oval, color="#a05252"];
  "input" -> "steps.a";
  "steps.a" -> "steps.l";
  "steps.l" -> "outputs.success" [style=dashed];
  "steps.l" -> "outputs.error" [label="failed.error", style=dashed];
}
)");
  GraphPicture picture;
  picture.nodes = {{"a\"\\n\n", "\\", {}, {}, Shape::step}};
  CHECK_THAT(graph_dot(picture), ContainsSubstring("  \"a\\\"\\\\n \" [label=\"\\\\\", "));
}

}  // namespace
}  // namespace venvoy::report
