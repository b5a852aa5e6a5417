//! Reads and writes the memories and globals of an instance through its accessor.

use super::accessor;
use super::form::{GROWTH, Target, View};
use crate::state::State;
use std::any::TypeId;
use wasmtime::component::{
    Component as Compiled, ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower, ResourceTable, WasmList,
};
use wasmtime::{Result, Store};

/// The indices of the accessor's functions among the exports of a component.
#[derive(Clone, Debug)]
pub(super) struct Functions {
    take: ComponentExportIndex,
    give: ComponentExportIndex,
    seek: ComponentExportIndex,
    memories: Vec<MemoryFunctions>,
    words: Vec<WordFunctions>,
}

#[derive(Clone, Debug)]
struct MemoryFunctions {
    size: ComponentExportIndex,
    grow: ComponentExportIndex,
    read: ComponentExportIndex,
    write: ComponentExportIndex,
}

#[derive(Clone, Debug)]
struct WordFunctions {
    get: ComponentExportIndex,
    set: ComponentExportIndex,
}

impl Functions {
    /// Those of a component that was rewritten.
    pub(super) fn of(component: &Compiled) -> Option<Self> {
        let instance = component.get_export_index(None, accessor::INSTANCE)?;
        let find = |name: &str| component.get_export_index(Some(&instance), name);
        let numbered = |name: &str, number: usize| find(&format!("{name}{number}"));
        let memory = |m| {
            let [size, grow, read, write] = ["size", "grow", "read", "write"].map(|name| numbered(name, m));
            Some(MemoryFunctions { size: size?, grow: grow?, read: read?, write: write? })
        };
        let word = |w| Some(WordFunctions { get: numbered("get", w)?, set: numbered("set", w)? });
        Some(Self {
            take: find("take")?,
            give: find("give")?,
            seek: find("seek")?,
            memories: (0..).map_while(memory).collect(),
            words: (0..).map_while(word).collect(),
        })
    }
}

/// The contents of an instance's memories and globals.
pub(super) struct Contents {
    /// The memories; `None` for an empty one.
    memories: Vec<Option<WasmList<u8>>>,
    words: Vec<u64>,
}

impl Contents {
    /// As it lies in the store of the instance, which must not have run since.
    pub(super) fn view<'a>(&self, store: &'a Store<State>) -> View<'a> {
        let memory = |list: &Option<WasmList<u8>>| list.as_ref().map_or(&[][..], |list| list.as_le_slice(store));
        View { memories: self.memories.iter().map(memory).collect(), words: self.words.clone() }
    }
}

/// An instance of a component with an accessor.
pub(super) struct Accessed<'a> {
    pub(super) store: &'a mut Store<State>,
    pub(super) instance: &'a Instance,
    pub(super) functions: &'a Functions,
}

impl Accessed<'_> {
    fn call<P, R>(&mut self, function: &ComponentExportIndex, parameters: P) -> Result<R>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift + 'static,
    {
        self.instance.get_typed_func::<P, R>(&mut *self.store, function)?.call(&mut *self.store, parameters)
    }

    /// All of its memories and words.
    pub(super) fn contents(&mut self) -> Result<Contents> {
        let functions = self.functions;
        let fuel = self.store.hostcall_fuel();
        // Whole memories are looked at where they lie.
        self.store.set_hostcall_fuel(usize::MAX);
        let memories = functions.memories.iter().map(|memory| self.memory(memory)).collect::<Result<_>>();
        self.store.set_hostcall_fuel(fuel);
        let words = functions.words.iter().map(|word| self.call::<(), (u64,)>(&word.get, ()).map(|(value,)| value));
        Ok(Contents { memories: memories?, words: words.collect::<Result<_>>()? })
    }

    fn memory(&mut self, memory: &MemoryFunctions) -> Result<Option<WasmList<u8>>> {
        match self.call(&memory.size, ())? {
            (0_u32,) => Ok(None),
            (pages,) if (pages as usize * GROWTH) > u32::MAX as usize => {
                Err(wasmtime::Error::msg("a memory of 4 GiB is too large for an image"))
            }
            _ => self.call(&memory.read, ()).map(|(list,)| Some(list)),
        }
    }

    /// The next handle of the component's that would be new to it. Those that were given back are not.
    pub(super) fn next_handle(&mut self, after: u32) -> Result<u32> {
        let functions = self.functions;
        let mut taken: Vec<u32> = Vec::new();
        let next = loop {
            let (handle,) = self.call(&functions.take, ())?;
            taken.push(handle);
            if handle >= after {
                break handle;
            }
        };
        // In the order in which they will be taken again.
        for handle in taken.into_iter().rev() {
            self.call::<_, ()>(&functions.give, (handle,))?;
        }
        Ok(next)
    }
}

impl Target for Accessed<'_> {
    type Error = wasmtime::Error;

    fn grow(&mut self, memory: usize, bytes: usize) -> Result<()> {
        let MemoryFunctions { size, grow, .. } = &self.functions.memories[memory];
        let (pages,): (u32,) = self.call(size, ())?;
        match self.call(grow, ((bytes / GROWTH) as u32 - pages,))? {
            (u32::MAX,) => Err(wasmtime::Error::msg(format!("its memory cannot grow to {} MiB", bytes >> 20))),
            _ => Ok(()),
        }
    }

    fn write(&mut self, memory: usize, at: usize, bytes: &[u8]) -> Result<()> {
        let functions = self.functions;
        self.call::<_, ()>(&functions.seek, (at as u32,))?;
        self.call(&functions.memories[memory].write, (bytes,))
    }

    fn set(&mut self, word: usize, value: u64) -> Result<()> {
        self.call(&self.functions.words[word].set, (value,))
    }
}

/// The objects that the host keeps for an instance, by handle, with their kinds.
pub(super) fn resources(table: &mut ResourceTable) -> Vec<(u32, TypeId)> {
    let count = table.iter_mut().count();
    let kind = |key| table.get_any_mut(key).ok().map(|entry| (key, (*entry).type_id()));
    (0..).filter_map(kind).take(count).collect()
}
