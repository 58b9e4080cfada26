#include "workflow/graph.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "support/catch.hpp"

namespace venvoy::workflow {
namespace {

// A graph whose nodes are written as letters, and a run of it.
class Letters {
 public:
  // "a>b" hard, "a?b" option, "a:b" completion, "a~b" soft.
  explicit Letters(const std::vector<std::string>& edges, const std::string& alone = "") {
    for (const std::string& edge : edges)
      for (const char letter : {edge[0], edge[2]}) node(letter);
    for (const char letter : alone) node(letter);
    static const std::map<char, EdgeKind> kinds = {
        {'>', EdgeKind::hard}, {'?', EdgeKind::option}, {':', EdgeKind::completion}, {'~', EdgeKind::soft}};
    for (const std::string& edge : edges) graph.add_edge(node(edge[0]), node(edge[2]), kinds.at(edge[1]));
  }

  NodeId node(char letter) {
    const auto place = ids_.find(letter);
    if (place != ids_.end()) return place->second;
    const NodeId id = graph.add_node({NodeKind::group, 0, 0, 0, std::string(1, letter)});
    ids_.emplace(letter, id);
    return id;
  }

  std::string name(NodeId id) const { return id == no_node ? "-" : graph.node(id).name; }

  Graph graph;

 private:
  std::map<char, NodeId> ids_;
};

class Course {
 public:
  explicit Course(Letters letters) : letters_(std::move(letters)), state_(letters_.graph) {}

  // Everything that has become due since, in its order: "a" ready, "!a" impossible.
  std::string due() {
    std::string text;
    while (state_.has_next()) {
      const NodeId id = state_.next();
      text += (state_.status(id) == NodeStatus::impossible ? "!" : "") + letters_.name(id);
    }
    CHECK(state_.next() == no_node);
    return text;
  }
  std::string happens(char letter) {
    state_.resolve(letters_.node(letter));
    return due();
  }
  std::string fails(char letter) {
    state_.make_impossible(letters_.node(letter));
    return due();
  }
  std::string cause(char letter) { return letters_.name(state_.cause(letters_.node(letter))); }
  NodeStatus status(char letter) { return state_.status(letters_.node(letter)); }

 private:
  Letters letters_;
  GraphState state_;
};

std::string cycles_of(Letters letters) {
  std::string text;
  for (const auto& cycle : letters.graph.find_cycles()) {
    if (!text.empty()) text += ' ';
    for (const NodeId id : cycle) text += letters.name(id);
  }
  return text;
}

}  // namespace

TEST_CASE("nodes without dependencies are due at once, in the order of the nodes") {
  Course course(Letters({"b>c", "a>c"}, "d"));
  CHECK(course.due() == "bad");
  CHECK(course.happens('a').empty());
  CHECK(course.happens('b') == "c");
}

TEST_CASE("a hard dependency that is impossible makes impossible at once, and this spreads") {
  Course course(Letters({"a>c", "b>c", "c>d", "d>e"}));
  CHECK(course.due() == "ab");
  CHECK(course.fails('b') == "!c!d!e");
  CHECK(course.cause('b') == "-");
  CHECK(course.cause('c') == "b");
  CHECK(course.cause('d') == "c");
  CHECK(course.cause('e') == "d");
  // What is known already changes nothing.
  CHECK(course.happens('a').empty());
  CHECK(course.status('c') == NodeStatus::impossible);
}

TEST_CASE("of options one is enough") {
  SECTION("the first one that happens counts, later ones change nothing") {
    Course course(Letters({"a?c", "b?c"}));
    CHECK(course.due() == "ab");
    CHECK(course.happens('b') == "c");
    CHECK(course.fails('a').empty());
    CHECK(course.status('c') == NodeStatus::waiting);
    CHECK(course.happens('c').empty());
  }
  SECTION("one that fails is dropped while others remain") {
    Course course(Letters({"a?c", "b?c"}));
    course.due();
    CHECK(course.fails('a').empty());
    CHECK(course.happens('b') == "c");
  }
  SECTION("the last one that fails decides") {
    Course course(Letters({"a?c", "b?c"}));
    course.due();
    CHECK(course.fails('b').empty());
    CHECK(course.fails('a') == "!c");
    CHECK(course.cause('c') == "a");
  }
  SECTION("beside hard dependencies") {
    Course course(Letters({"a?c", "b?c", "d>c"}));
    course.due();
    CHECK(course.happens('a').empty());
    CHECK(course.happens('d') == "c");
  }
}

TEST_CASE("a completion is its end of any kind") {
  Course course(Letters({"a:c", "b:c"}));
  CHECK(course.due() == "ab");
  CHECK(course.fails('a').empty());
  CHECK(course.happens('b') == "c");
  CHECK(course.status('c') == NodeStatus::waiting);
}

TEST_CASE("a completion also comes when it spreads") {
  Course course(Letters({"a>b", "b:c"}));
  course.due();
  CHECK(course.fails('a') == "!bc");
}

TEST_CASE("a soft dependency is neither waited for nor needed") {
  Course course(Letters({"a~c", "b>c"}));
  CHECK(course.due() == "ab");
  CHECK(course.fails('a').empty());
  CHECK(course.happens('b') == "c");
}

TEST_CASE("a node with nothing but a soft dependency is due at once") {
  Course course(Letters({"a~c"}));
  CHECK(course.due() == "ac");
}

TEST_CASE("TestMultiDependencyWorkflowFailureDoubleFailure: twice impossible, from two sides, is harmless") {
  Course course(Letters({"a>c", "b>c", "c>d"}));
  course.due();
  CHECK(course.fails('a') == "!c!d");
  CHECK(course.fails('b').empty());
  CHECK(course.fails('c').empty());
  CHECK(course.cause('c') == "a");
}

TEST_CASE("to happen twice, or after being impossible, is a bug and told as such") {
  Course course(Letters({"a>c", "b>c"}));
  course.due();
  course.happens('a');
  CHECK_THROWS_AS(course.happens('a'), std::logic_error);
  CHECK_THROWS_AS(course.fails('a'), std::logic_error);
  course.fails('b');
  CHECK_THROWS_AS(course.happens('b'), std::logic_error);
}

TEST_CASE("a node that is due and then declared impossible comes once, as impossible") {
  Letters letters({"a>b"});
  GraphState state(letters.graph);
  state.make_impossible(letters.node('a'));
  CHECK(state.next() == letters.node('a'));
  CHECK(state.status(letters.node('a')) == NodeStatus::impossible);
  CHECK(state.next() == letters.node('b'));
  CHECK(state.next() == no_node);
}

TEST_CASE("the same edge twice counts once, edges of two kinds count both") {
  Course same(Letters({"a>b", "a>b"}));
  CHECK(same.due() == "a");
  CHECK(same.happens('a') == "b");
  Course both(Letters({"a>b", "a:b", "a~b"}));
  both.due();
  CHECK(both.fails('a') == "!b");
}

TEST_CASE("dependencies tells what a node depends on, with the kind") {
  Letters letters({"a>c", "b:c", "c?d"});
  using Dependency = std::pair<NodeId, EdgeKind>;
  CHECK(letters.graph.dependencies(letters.node('c')) ==
        std::vector<Dependency>{{letters.node('a'), EdgeKind::hard}, {letters.node('b'), EdgeKind::completion}});
  CHECK(letters.graph.dependencies(letters.node('a')).empty());
}

TEST_CASE("cycles are found, each with its way") {
  CHECK(cycles_of(Letters({"a>b", "b>c", "a>c"})).empty());
  CHECK(cycles_of(Letters({"a>a"})) == "aa");
  CHECK(cycles_of(Letters({"a>b", "b>c", "c>a"})) == "abca");
  CHECK(cycles_of(Letters({"x>a", "a>b", "b>a", "b>y"})) == "aba");
  CHECK(cycles_of(Letters({"a>b", "b>a", "c>d", "d>c"})) == "aba cdc");
  // Every kind of edge can close one.
  CHECK(cycles_of(Letters({"a:b", "b?c", "c~a"})) == "abca");
  // Of two that share a node one is told.
  CHECK(cycles_of(Letters({"a>b", "b>a", "b>c", "c>b"})) == "aba");
}

TEST_CASE("long chains need no deep stack") {
  constexpr NodeId length = 200000;
  Graph graph;
  for (NodeId id = 0; id < length; ++id) graph.add_node({NodeKind::group, 0, 0, 0, std::to_string(id)});
  for (NodeId id = 1; id < length; ++id) graph.add_edge(id - 1, id, EdgeKind::hard);
  CHECK(graph.find_cycles().empty());
  GraphState state(graph);
  state.make_impossible(0);
  CHECK(state.status(length - 1) == NodeStatus::impossible);
  graph.add_edge(length - 1, 0, EdgeKind::hard);
  REQUIRE(graph.find_cycles().size() == 1);
  CHECK(graph.find_cycles().front().size() == length + 1);
}

TEST_CASE("the graph as a chart for Mermaid: a line per edge, names quoted") {
  Graph graph;
  const NodeId input = graph.add_node({NodeKind::input, 0, 0, 0, "input"});
  const NodeId stage = graph.add_node({NodeKind::stage, 0, 0, 0, "steps.a.starting"});
  const NodeId group = graph.add_node({NodeKind::group, 0, 0, 0, "outputs.success.note"});
  graph.add_edge(input, stage, EdgeKind::hard);
  graph.add_edge(stage, group, EdgeKind::completion);
  CHECK(graph.mermaid() ==
        "flowchart LR\n"
        "    0[\"input\"] --> 1[\"steps.a.starting\"]\n"
        "    1[\"steps.a.starting\"] -.-> 2[\"outputs.success.note\"]\n");
}

TEST_CASE("a name with a quotation mark does not end the text of a node in the chart") {
  Graph graph;
  const NodeId from = graph.add_node({NodeKind::group, 0, 0, 0, "outputs.success.say \"a\""});
  graph.add_edge(from, graph.add_node({NodeKind::group, 0, 0, 0, "b"}), EdgeKind::hard);
  CHECK(graph.mermaid() == "flowchart LR\n    0[\"outputs.success.say #quot;a#quot;\"] --> 1[\"b\"]\n");
}

}  // namespace venvoy::workflow
