/** A rule of the domain says no. The importer lists it; any other error stops the import. */
export class FlightRefused extends Error {
  override readonly name = 'FlightRefused';
}
