//! The machine that measured a cell. A merged run has parts of several machines, each with rooflines of its own; all cells of a run without
//! parts were measured by one machine.

use crate::{PartView, RunView, calibration};
use bench_model::MachineLimit;
use bench_sink::runfile::CalibrationRecord;

impl RunView {
    /// The median of a machine limit in its unit: the mean of those before and after, or the one there is. `None` if the run has parts
    /// of several machines, each of which has a limit of its own.
    pub fn limit(&self, limit: MachineLimit) -> Option<f64> {
        let mut calibrations = self.calibrations();
        let (_, records) = calibrations.next()?;
        if calibrations.next().is_some() { None } else { median(records, limit) }
    }

    /// The same, of the machine that measured the cell of this number.
    pub fn limit_of(&self, cell: u32, limit: MachineLimit) -> Option<f64> {
        median(self.calibration_of(cell), limit)
    }

    /// The same, of the first machine that has measured it.
    pub fn first_limit(&self, limit: MachineLimit) -> Option<f64> {
        self.calibrations().find_map(|(_, records)| median(records, limit))
    }

    /// `Ok` if one machine measured the cells of these numbers, as far as the file says; else the reason why they have no ratio, with the
    /// names of two machines. Not escaped.
    pub fn same_host(&self, cells: impl IntoIterator<Item = u32>) -> Result<(), String> {
        let mut hosts = cells.into_iter().filter_map(|cell| self.host_of(cell));
        let Some(first) = hosts.next() else { return Ok(()) };
        match hosts.find(|other| !first.is_same_host(other)) {
            Some(other) => Err(format!("measured on different machines ({}, {})", first.name(), other.name())),
            None => Ok(()),
        }
    }

    /// The part that has the cell of this number, and thereby the machine that measured it; `None` in a run without parts.
    pub(crate) fn host_of(&self, cell: u32) -> Option<&PartView> {
        self.parts.get(self.part_of(cell)?)
    }

    /// The index of that part.
    pub(crate) fn part_of(&self, cell: u32) -> Option<usize> {
        self.parts.iter().position(|part| part.cells.contains(&cell))
    }

    /// The rooflines of the machine that measured the cell of this number.
    pub(crate) fn calibration_of(&self, cell: u32) -> &[CalibrationRecord] {
        self.host_of(cell).map_or(&self.calibration[..], |part| self.calibration_in(part))
    }

    /// The rooflines of each part; of a run without parts, those of the run.
    pub(crate) fn calibrations(&self) -> impl Iterator<Item = (Option<&PartView>, &[CalibrationRecord])> {
        let whole = self.parts.is_empty().then_some((None, &self.calibration[..]));
        self.parts.iter().map(move |part| (Some(part), self.calibration_in(part))).chain(whole)
    }

    fn calibration_in(&self, part: &PartView) -> &[CalibrationRecord] {
        &self.calibration[part.calibration.clone()]
    }
}

impl PartView {
    /// The name of the machine: that of the agent, or else that of the shard's run directory. Not escaped.
    pub(crate) fn name(&self) -> &str {
        self.agent().unwrap_or(&self.record.run)
    }

    /// The name of the agent, if an agent of a fleet measured the part.
    pub(crate) fn agent(&self) -> Option<&str> {
        self.record.run.split_once('@').map(|(_, agent)| agent)
    }

    /// Whether both were measured on the same machine in the same state, so that a ratio of their figures is one of code alone. A machine is
    /// recognised by its running kernel; if that is not known, by the name of the agent.
    pub(crate) fn is_same_host(&self, other: &Self) -> bool {
        let is_same_kernel = match (&self.record.boot_id, &other.record.boot_id) {
            (Some(own), Some(others)) => own == others,
            _ => self.agent().is_some() && self.agent() == other.agent(),
        };
        let is_alike = || self.record.fingerprint.unlike(&other.record.fingerprint).is_empty();
        std::ptr::eq(self, other) || (is_same_kernel && is_alike())
    }
}

fn median(records: &[CalibrationRecord], limit: MachineLimit) -> Option<f64> {
    calibration::pairs(records).into_iter().find(|(known, _)| known.known() == Some(limit))?.1.median()
}
