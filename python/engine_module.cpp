// The module venvoy._engine: the classes of <venvoy/engine.hpp> for Python. What Python adds to them (iterators,
// asyncio, interrupts) is Python, in the package around it.
//
// Whoever waits gives up the interpreter's lock meanwhile, and what the engine calls from its own threads takes it.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <pybind11/chrono.h>
#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>
#include <string>
#include <utility>
#include <venvoy/engine.hpp>

namespace py = pybind11;

namespace {

// How deep input from Python may be nested: a list that contains itself has no end.
constexpr int max_depth = 1000;

venvoy::Value value_from(const py::handle& object, int depth = 0) {
  if (depth > max_depth) throw py::value_error("the value is nested too deep, or contains itself");
  if (object.is_none()) return nullptr;
  if (py::isinstance<py::bool_>(object)) return object.cast<bool>();
  if (py::isinstance<py::int_>(object)) {
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(object.ptr(), &overflow);
    if (overflow != 0) throw py::value_error("an integer does not fit into 64 bits: " + std::string(py::str(object)));
    return static_cast<std::int64_t>(number);
  }
  if (py::isinstance<py::float_>(object)) return object.cast<double>();
  if (py::isinstance<py::str>(object)) return object.cast<std::string>();
  if (py::isinstance<py::bytes>(object)) {
    const auto text = object.cast<std::string_view>();
    const auto* data = reinterpret_cast<const std::byte*>(text.data());
    return venvoy::Value::Bytes(data, data + text.size());
  }
  if (py::isinstance<py::list>(object) || py::isinstance<py::tuple>(object)) {
    venvoy::Value::List list;
    for (const py::handle item : object) list.push_back(value_from(item, depth + 1));
    return list;
  }
  if (py::isinstance<py::dict>(object)) {
    venvoy::Value::Map map;
    for (const auto& [key, value] : py::reinterpret_borrow<py::dict>(object))
      map.push_back({value_from(key, depth + 1), value_from(value, depth + 1)});
    return map;
  }
  throw py::type_error("a value must be None, bool, int, float, str, bytes, list, tuple or dict, not " +
                       std::string(py::str(py::type::handle_of(object).attr("__name__"))));
}

py::object python_from(const venvoy::Value& value) {
  using Kind = venvoy::Value::Kind;
  switch (value.kind()) {
    case Kind::null:
      return py::none();
    case Kind::boolean:
      return py::bool_(value.as_bool());
    case Kind::integer:
      return py::int_(value.as_integer());
    case Kind::floating:
      return py::float_(value.as_float());
    case Kind::text:
      return py::str(value.as_text());
    case Kind::bytes: {
      const auto& bytes = value.as_bytes();
      return py::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    case Kind::list: {
      py::list list;
      for (const venvoy::Value& item : value.as_list()) list.append(python_from(item));
      return list;
    }
    case Kind::map: {
      py::dict map;
      for (const auto& [key, item] : value.as_map()) map[python_from(key)] = python_from(item);
      return map;
    }
  }
  return py::none();
}

// A callable of Python that any thread may call and forget.
class Callback {
 public:
  explicit Callback(py::function function)
      : function_(new py::function(std::move(function)), [](py::function* last) {
          const py::gil_scoped_acquire lock;
          delete last;
        }) {}

  // What the callable throws is reported as Python does it for callbacks: the engine has nobody to give it to.
  template <class... Arguments>
  void operator()(const Arguments&... arguments) const {
    const py::gil_scoped_acquire lock;
    try {
      (*function_)(arguments...);
    } catch (py::error_already_set& error) {
      error.discard_as_unraisable(*function_);
    }
  }

  const py::function& function() const { return *function_; }

 private:
  std::shared_ptr<py::function> function_;
};

class CallingObserver final : public venvoy::Observer {
 public:
  explicit CallingObserver(py::function function) : call_(std::move(function)) {}
  void on_event(const venvoy::Event& event) override { call_(event); }

 private:
  Callback call_;
};

std::shared_ptr<venvoy::Observer> observer_for(std::optional<py::function> function) {
  if (!function) return nullptr;
  return std::make_shared<CallingObserver>(std::move(*function));
}

// The gate's answer: None or True allows, a text denies with this reason, False denies, Decision says it all.
venvoy::Decision decision_from(const py::object& answer) {
  if (py::isinstance<venvoy::Decision>(answer)) return answer.cast<venvoy::Decision>();
  if (answer.is_none()) return {};
  if (py::isinstance<py::str>(answer)) return {false, answer.cast<std::string>(), std::nullopt};
  return {answer.cast<bool>(), "", std::nullopt};
}

// Asks methods of a Python object, as far as it has them.
class CallingGate final : public venvoy::Gate {
 public:
  explicit CallingGate(py::object object)
      : object_(new py::object(std::move(object)), [](py::object* last) {
          const py::gil_scoped_acquire lock;
          delete last;
        }) {}

  venvoy::Decision may_deploy(const venvoy::DeployRequest& request) override { return ask("may_deploy", request); }
  venvoy::Decision may_run(const venvoy::RunRequest& request) override { return ask("may_run", request); }
  venvoy::Decision may_run_step(const venvoy::StepRequest& request) override { return ask("may_run_step", request); }

 private:
  template <class Request>
  venvoy::Decision ask(const char* method, const Request& request) {
    const py::gil_scoped_acquire lock;
    if (!py::hasattr(*object_, method)) return {};
    try {
      return decision_from(object_->attr(method)(request));
    } catch (const py::error_already_set& error) {
      throw std::runtime_error(error.what());  // which is a denial; without Python's objects, which need the lock
    }
  }

  std::shared_ptr<py::object> object_;
};

// An engine waits for its threads, and these may wait for the interpreter's lock.
struct EndEngine {
  void operator()(venvoy::Engine* engine) const {
    const py::gil_scoped_release unlocked;
    delete engine;
  }
};

using EngineHolder = std::unique_ptr<venvoy::Engine, EndEngine>;

EngineHolder make_engine(std::optional<std::filesystem::path> configuration_file,
                         std::optional<std::string> configuration, std::optional<std::filesystem::path> workdir,
                         std::optional<std::string> python, bool offline, std::vector<std::string> allow_incompatible,
                         std::optional<py::function> log, const py::object& gate) {
  venvoy::EngineOptions options;
  if (configuration_file) options.configuration_file = *configuration_file;
  options.configuration = std::move(configuration);
  options.workdir = std::move(workdir);
  options.python = std::move(python);
  options.offline = offline;
  options.allow_incompatible = std::move(allow_incompatible);
  if (log) {
    options.log = [call = Callback(std::move(*log))](const venvoy::LogLine& line) {
      call(std::string(line.level), std::string(line.text), std::string(line.labels));
    };
  }
  if (!gate.is_none()) options.gate = std::make_shared<CallingGate>(gate);
  const py::gil_scoped_release unlocked;
  return EngineHolder(new venvoy::Engine(std::move(options)));
}

venvoy::Workflow prepare(venvoy::Engine& engine, const std::string& file, const std::filesystem::path& context,
                         std::map<std::string, std::string> files, std::optional<py::function> on_event,
                         venvoy::Cancellation cancellation) {
  venvoy::PrepareOptions options;
  options.context = context;
  options.files = std::move(files);
  options.observer = observer_for(std::move(on_event));
  options.cancellation = std::move(cancellation);
  const py::gil_scoped_release unlocked;
  return engine.prepare(file, std::move(options));
}

venvoy::Run start(const venvoy::Workflow& workflow, const py::object& input, std::optional<py::function> on_event,
                  std::optional<std::chrono::milliseconds> timeout) {
  const venvoy::Value value = input.is_none() ? venvoy::Value(venvoy::Value::Map()) : value_from(input);
  venvoy::RunOptions options;
  options.observer = observer_for(std::move(on_event));
  options.timeout = timeout;
  const py::gil_scoped_release unlocked;
  return workflow.start(value, std::move(options));
}

void define_errors(py::module_& module) {
  // Instances carry the failure and the diagnostics; these are what an error of the Python layer has.
  static const py::handle error = PyErr_NewExceptionWithDoc(
      "venvoy.EngineError", "What the engine could not do; see `code`, `hint`, `diagnostics`.", PyExc_RuntimeError,
      nullptr);
  module.attr("EngineError") = error;
  error.attr("failure") = py::none();
  error.attr("code") = py::cast(venvoy::FailureCode::usage);
  error.attr("hint") = "";
  error.attr("diagnostics") = py::list();
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const venvoy::EngineError& caught) {
      const py::object instance = error(caught.what());
      instance.attr("failure") = py::cast(caught.failure());
      instance.attr("code") = py::cast(caught.failure().code);
      instance.attr("hint") = caught.failure().hint;
      instance.attr("diagnostics") = py::cast(caught.diagnostics());
      PyErr_SetObject(error.ptr(), instance.ptr());
    }
  });
}

void define_facts(py::module_& module) {
  py::class_<venvoy::Place>(module, "Place")
      .def_readonly("file", &venvoy::Place::file)
      .def_readonly("line", &venvoy::Place::line)
      .def_readonly("column", &venvoy::Place::column);

  py::enum_<venvoy::FailureCode> codes(module, "FailureCode");
  using Code = venvoy::FailureCode;
  for (const auto& [name, code] :
       std::initializer_list<std::pair<const char*, Code>>{{"usage", Code::usage},
                                                           {"document", Code::document},
                                                           {"reference", Code::reference},
                                                           {"unresolvable", Code::unresolvable},
                                                           {"network", Code::network},
                                                           {"authentication", Code::authentication},
                                                           {"contract_missing", Code::contract_missing},
                                                           {"contract_unreadable", Code::contract_unreadable},
                                                           {"install", Code::install},
                                                           {"environment", Code::environment},
                                                           {"start", Code::start},
                                                           {"plugin", Code::plugin},
                                                           {"protocol", Code::protocol},
                                                           {"limit", Code::limit},
                                                           {"evaluation", Code::evaluation},
                                                           {"schema", Code::schema},
                                                           {"denied", Code::denied},
                                                           {"timed_out", Code::timed_out},
                                                           {"cancelled", Code::cancelled},
                                                           {"io", Code::io},
                                                           {"internal", Code::internal}})
    codes.value(name, code);

  py::class_<venvoy::Failure>(module, "Failure")
      .def_readonly("code", &venvoy::Failure::code)
      .def_readonly("text", &venvoy::Failure::text)
      .def_readonly("hint", &venvoy::Failure::hint)
      .def_readonly("at", &venvoy::Failure::at)
      .def("__str__", [](const venvoy::Failure& failure) { return failure.text; });

  py::class_<venvoy::Diagnostic>(module, "Diagnostic")
      .def_property_readonly("is_error",
                             [](const venvoy::Diagnostic& diagnostic) {
                               return diagnostic.severity == venvoy::Diagnostic::Severity::error;
                             })
      .def_readonly("at", &venvoy::Diagnostic::at)
      .def_readonly("text", &venvoy::Diagnostic::text)
      .def_readonly("hint", &venvoy::Diagnostic::hint)
      .def("__str__", &venvoy::Diagnostic::rendered);

  py::class_<venvoy::StepFailure>(module, "StepFailure")
      .def_readonly("step", &venvoy::StepFailure::step)
      .def_readonly("item", &venvoy::StepFailure::item)
      .def_readonly("text", &venvoy::StepFailure::text)
      .def("__str__", [](const venvoy::StepFailure& failure) { return failure.step + ": " + failure.text; });

  using venvoy::Event;
  py::class_<Event>(module, "Event")
      .def_property_readonly("type", [](const Event& event) { return std::string(to_text(event.type)); })
      .def_property_readonly(
          "time",
          [](const Event& event) { return std::chrono::duration<double>(event.time.time_since_epoch()).count(); })
      .def_readonly("run", &Event::run)
      .def_readonly("workflow", &Event::workflow)
      .def_readonly("step", &Event::step)
      .def_readonly("item", &Event::item)
      .def_readonly("reference", &Event::reference)
      .def_readonly("version", &Event::version)
      .def_readonly("environment", &Event::environment)
      .def_readonly("plugin_step", &Event::plugin_step)
      .def_readonly("node", &Event::node)
      .def_readonly("stage", &Event::stage)
      .def_readonly("output", &Event::output)
      .def_readonly("outcome", &Event::outcome)
      .def_readonly("error", &Event::error)
      .def_readonly("level", &Event::level)
      .def_readonly("text", &Event::text)
      .def_property_readonly("data", [](const Event& event) { return python_from(event.data); })
      .def_readonly("done", &Event::done)
      .def_readonly("total", &Event::total)
      .def_readonly("bytes", &Event::bytes)
      .def_readonly("index", &Event::index)
      .def_readonly("count", &Event::count)
      .def("to_json", [](const Event& event) { return venvoy::to_json(event); })
      .def("__repr__", [](const Event& event) { return "<venvoy.Event " + venvoy::to_json(event) + ">"; });

  py::class_<venvoy::Result>(module, "Result")
      .def_readonly("failure", &venvoy::Result::failure)
      .def_readonly("output_id", &venvoy::Result::output_id)
      .def_property_readonly("output", [](const venvoy::Result& result) { return python_from(result.output); })
      .def_readonly("error_output", &venvoy::Result::error_output)
      .def_readonly("step_failures", &venvoy::Result::step_failures)
      .def_property_readonly("ok", [](const venvoy::Result& result) { return !result.failure && !result.error_output; })
      .def("to_yaml", [](const venvoy::Result& result) { return result.output.to_yaml(); });
}

void define_gate(py::module_& module) {
  py::class_<venvoy::Decision>(module, "Decision")
      .def(py::init([](bool allowed, std::string reason, const py::object& input) {
             venvoy::Decision decision{allowed, std::move(reason), std::nullopt};
             if (!input.is_none()) decision.input = value_from(input);
             return decision;
           }),
           py::arg("allowed") = true, py::arg("reason") = "", py::kw_only(), py::arg("input") = py::none())
      .def_readonly("allowed", &venvoy::Decision::allowed)
      .def_readonly("reason", &venvoy::Decision::reason);

  py::class_<venvoy::DeployRequest>(module, "DeployRequest")
      .def_readonly("reference", &venvoy::DeployRequest::reference)
      .def_readonly("source_kind", &venvoy::DeployRequest::source_kind)
      .def_readonly("pull_policy", &venvoy::DeployRequest::pull_policy)
      .def_readonly("override_compatibility", &venvoy::DeployRequest::override_compatibility);

  py::class_<venvoy::RunRequest>(module, "RunRequest")
      .def_readonly("workflow", &venvoy::RunRequest::workflow)
      .def_readonly("digest", &venvoy::RunRequest::digest)
      .def_readonly("plugins", &venvoy::RunRequest::plugins)
      .def_property_readonly("input", [](const venvoy::RunRequest& request) { return python_from(request.input); });

  py::class_<venvoy::StepRequest>(module, "StepRequest")
      .def_readonly("workflow", &venvoy::StepRequest::workflow)
      .def_readonly("plugin", &venvoy::StepRequest::plugin)
      .def_readonly("step", &venvoy::StepRequest::step)
      .def_readonly("plugin_step", &venvoy::StepRequest::plugin_step)
      .def_property_readonly("input", [](const venvoy::StepRequest& request) { return python_from(request.input); });
}

void define_engine(py::module_& module) {
  py::class_<venvoy::Cancellation>(module, "Cancellation")
      .def(py::init<>())
      .def("cancel", &venvoy::Cancellation::cancel)
      .def_property_readonly("cancelled", &venvoy::Cancellation::cancelled);

  py::class_<venvoy::Run>(module, "Run")
      .def_property_readonly("id", &venvoy::Run::id)
      .def("cancel", &venvoy::Run::cancel, py::call_guard<py::gil_scoped_release>())
      .def("ended", &venvoy::Run::ended)
      .def("wait", &venvoy::Run::wait, py::call_guard<py::gil_scoped_release>());

  py::class_<venvoy::Workflow>(module, "Workflow")
      .def_property_readonly("ready", &venvoy::Workflow::ready)
      .def_property_readonly("diagnostics", &venvoy::Workflow::diagnostics)
      .def("check_input", [](const venvoy::Workflow& workflow,
                             const py::object& input) { return workflow.check_input(value_from(input)); })
      .def("start", &start, py::arg("input"), py::arg("on_event"), py::arg("timeout"));

  py::class_<venvoy::Engine, EngineHolder>(module, "Engine")
      .def(py::init(&make_engine), py::kw_only(), py::arg("configuration_file"), py::arg("configuration"),
           py::arg("workdir"), py::arg("python"), py::arg("offline"), py::arg("allow_incompatible"), py::arg("log"),
           py::arg("gate"))
      .def("prepare", &prepare, py::arg("file"), py::arg("context"), py::arg("files"), py::arg("on_event"),
           py::arg("cancellation"));

  module.def(
      "input_from_yaml",
      [](const std::string& text, const std::string& name) {
        return python_from(venvoy::Value::input_from_yaml(text, name));
      },
      py::arg("text"), py::arg("name") = "input");
}

}  // namespace

PYBIND11_MODULE(_engine, module) {
  define_facts(module);
  define_errors(module);
  define_gate(module);
  define_engine(module);
}
