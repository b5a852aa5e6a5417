//! The JSON forms of descriptors and run files, which must not change.

use bench_model::{
    Arguments, Arm, Checksum, Descriptor, Direction, Domain, MachineLimit, Metric, Parameter, Scenario, Unit, Value,
};

fn descriptor() -> Descriptor {
    Descriptor::new("module", "1.2.3", "Says \"what\".").scenario(
        Scenario::new("scenario", "family", "One thing.")
            .limit(MachineLimit::Fdatasync)
            .parameter(Parameter::new("bytes", 64, "").unit(Unit::Bytes).sweep([64, 128]).between(1, 4096))
            .parameter(Parameter::new("ratio", 1.0, "").choices([1.0, 0.5]))
            .parameter(Parameter::new("mode", "a", ""))
            .metric(Metric::new("lag", Unit::Nanoseconds, "").direction(Direction::Neutral).label("side"))
            .requires("cpu:2", "two sides"),
    )
}

const DESCRIPTOR: &str = concat!(
    r#"{"name":"module","version":"1.2.3","summary":"Says \"what\".","scenarios":[{"name":"scenario","#,
    r#""driver":"workload","family":"family","summary":"One thing.","limit":"fdatasync","parameters":["#,
    r#"{"name":"bytes","summary":"","unit":"By","defaults":[64,128],"domain":{"between":[1,4096]}},"#,
    r#"{"name":"ratio","summary":"","unit":"","defaults":[1.0],"domain":{"choices":[1.0,0.5]}},"#,
    r#"{"name":"mode","summary":"","unit":"","defaults":["a"],"domain":"any"}],"metrics":["#,
    r#"{"name":"lag","summary":"","unit":"ns","direction":"neutral","labels":["side"]}],"requirements":["#,
    r#"{"capability":"cpu:2","purpose":"two sides","optional":false}]}]}"#,
);

#[test]
fn descriptor_has_its_json_form() {
    assert_eq!(serde_json::to_string(&descriptor()).unwrap(), DESCRIPTOR);
    assert_eq!(serde_json::from_str::<Descriptor>(DESCRIPTOR).unwrap(), descriptor());
}

#[test]
fn missing_fields_of_a_descriptor_have_defaults() {
    let text = r#"{"name":"m","version":"1","scenarios":[{"name":"s","family":"f",
        "parameters":[{"name":"n","defaults":[1]}],"metrics":[{"name":"t","unit":"ns"}],
        "requirements":[{"capability":"kernel:x"}]}]}"#;
    let scenario = Scenario::new("s", "f", "")
        .parameter(Parameter::new("n", 1, ""))
        .metric(Metric::new("t", Unit::Nanoseconds, ""))
        .requires("kernel:x", "");
    assert_eq!(scenario.parameters[0].domain, Domain::Any);
    assert_eq!(serde_json::from_str::<Descriptor>(text).unwrap(), Descriptor::new("m", "1", "").scenario(scenario));
}

#[test]
fn unknown_field_or_name_is_an_error_that_names_it() {
    let check = |scenario: &str, expect: &str| {
        let text = format!(r#"{{"name":"m","version":"1","scenarios":[{{"name":"s","family":"f",{scenario}}}]}}"#);
        let error = serde_json::from_str::<Descriptor>(&text).unwrap_err().to_string();
        assert!(error.starts_with(expect), "{error}");
    };
    check(r#""colour":"red""#, "unknown field `colour`");
    check(r#""limit":"luck""#, "unknown roofline `luck`; use one of clock, syscall, ");
    check(r#""metrics":[{"name":"t","unit":"ns","direction":"up"}]"#, "unknown direction `up`; use lower-is-better");
    check(r#""limit":1"#, "invalid type: integer `1`, expected a roofline as text");
}

#[test]
fn named_values_are_serialized_as_their_names() {
    for arm in Arm::ALL {
        assert_eq!(serde_json::to_value(arm).unwrap(), arm.as_str());
        assert_eq!(serde_json::from_value::<Arm>(arm.as_str().into()).unwrap(), arm);
    }
    for limit in MachineLimit::ALL {
        assert_eq!(serde_json::to_value(limit).unwrap(), limit.as_str());
        assert_eq!(serde_json::from_value::<MachineLimit>(limit.as_str().into()).unwrap(), limit);
    }
    for unit in [Unit::Nanoseconds, Unit::Bytes, Unit::Count, Unit::Other("furlong".to_owned()), Unit::none()] {
        assert_eq!(serde_json::to_value(&unit).unwrap(), unit.as_str());
        assert_eq!(serde_json::from_value::<Unit>(unit.as_str().into()).unwrap(), unit);
    }
}

#[test]
fn checksum_has_sixteen_digits() {
    for (checksum, text) in [(Checksum(0xaa), "00000000000000aa"), (Checksum(u64::MAX), "ffffffffffffffff")] {
        assert_eq!(serde_json::to_value(checksum).unwrap(), text);
        assert_eq!(serde_json::from_value::<Checksum>(text.into()).unwrap(), checksum);
    }
    for text in ["", "aa", "00000000000000AA", "+0000000000000aa", "00000000000000aaa"] {
        let error = serde_json::from_value::<Checksum>(text.into()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("invalid checksum `{text}`; it has 16 hexadecimal digits")), "{error}");
    }
}

#[test]
fn arguments_keep_their_order_and_kinds() {
    let text = r#"{"z":1,"a":1.0,"flag":true,"text":"1"}"#;
    let arguments = serde_json::from_str::<Arguments>(text).unwrap();
    let expect = [("z", Value::from(1)), ("a", 1.0.into()), ("flag", true.into()), ("text", "1".into())];
    assert_eq!(arguments, Arguments::from_iter(expect));
    assert_eq!(serde_json::to_string(&arguments).unwrap(), text);
}
